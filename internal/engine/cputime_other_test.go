//go:build !unix

package engine_test

import "time"

var started = time.Now()

// clock is the time of the day, where nobody tells that of the processors.
func clock() time.Duration { return time.Since(started) }
