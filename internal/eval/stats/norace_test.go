//go:build !race

package stats

const slower = 1
