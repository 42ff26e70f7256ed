package cli

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
)

// logger makes the log of a server in the form that was asked for. close writes what is
// still held back.
func (o *serveOptions) logger(w *World) (_ *slog.Logger, end func(), err error) {
	lines := &logLines{w: w.Stderr}
	var form slog.Handler
	switch o.log {
	case "text":
		form = slog.NewTextHandler(lines, nil)
	case "json":
		form = slog.NewJSONHandler(lines, nil)
	default:
		return nil, nil, fault.New(fault.Usage, "--log %s is not known", o.log).WithHint("allowed: text, json")
	}
	return slog.New(urgentLog{form, lines}), lines.flush, nil
}

const (
	logHeld  = 50 * time.Millisecond // a line waits for others at most
	logBytes = 32 << 10              // that wait at most
)

// logLines writes many lines at once: of a thousand requests a second each has one.
type logLines struct {
	mu   sync.Mutex
	w    io.Writer
	held []byte
	soon *time.Timer // flushes; nil while nothing is held
}

// Write holds a line back for a moment.
func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = append(l.held, line...)
	switch {
	case len(l.held) >= logBytes:
		l.write()
	case l.soon == nil:
		l.soon = time.AfterFunc(logHeld, l.flush)
	}
	return len(line), nil
}

func (l *logLines) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.write()
}

func (l *logLines) write() {
	if l.soon != nil {
		l.soon.Stop()
		l.soon = nil
	}
	if len(l.held) > 0 {
		_, _ = l.w.Write(l.held) // a log that cannot be written stops no answer
		l.held = l.held[:0]
	}
}

// urgentLog writes warnings and errors, and what stands before them, at once.
type urgentLog struct {
	slog.Handler
	lines *logLines
}

// Handle writes a record.
func (u urgentLog) Handle(ctx context.Context, r slog.Record) error {
	err := u.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		u.lines.flush()
	}
	return err
}

// WithAttrs keeps the urgency.
func (u urgentLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return urgentLog{u.Handler.WithAttrs(attrs), u.lines}
}

// WithGroup keeps the urgency.
func (u urgentLog) WithGroup(name string) slog.Handler {
	return urgentLog{u.Handler.WithGroup(name), u.lines}
}
