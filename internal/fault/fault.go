// Package fault has the words for everything that goes wrong: a class, a
// message, a hint and a place. It imports the standard library alone, and holds
// the one table from class to exit code.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Place is a position in a file of the user. Line and Col count from 1; zero
// means that the part is not known.
type Place struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

// String gives file:line:col, as far as it is known.
func (p Place) String() string {
	switch {
	case p.File == "":
		return ""
	case p.Line == 0:
		return p.File
	case p.Col == 0:
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Error is one failure. Message starts in lower case and ends without a period;
// it never holds a secret. Hint says what is allowed or what to do.
type Error struct {
	Class   Class
	Place   Place
	Message string
	Hint    string

	// Of a provider's failure.
	Status     int           // HTTP status, 0 where there was none
	RetryAfter time.Duration // what the provider asked for, or until a budget is renewed or can be asked again; 0 where nobody knows
	Said       string        // the provider's own words, without secrets

	Err error // the cause, for errors.Is; it is not printed
}

func (e *Error) Error() string {
	var b strings.Builder
	if place := e.Place.String(); place != "" {
		b.WriteString(place)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Hint != "" {
		b.WriteString("\n  ")
		b.WriteString(e.Hint)
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a class.
func New(class Class, format string, args ...any) *Error {
	return &Error{Class: class, Message: fmt.Sprintf(format, args...)}
}

// At makes the error of an invalid file.
func At(place Place, format string, args ...any) *Error {
	return &Error{Class: Invalid, Place: place, Message: fmt.Sprintf(format, args...)}
}

// WithHint sets the hint and returns the error.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Because sets the cause and returns the error.
func (e *Error) Because(err error) *Error {
	e.Err = err
	return e
}

// ClassOf finds the class of any error: that of the outermost Error or List in
// its chain. An error of nobody's class is Internal.
func ClassOf(err error) Class {
	for ; err != nil; err = errors.Unwrap(err) {
		switch e := err.(type) {
		case *Error:
			return e.Class
		case List:
			if len(e) > 0 {
				return e[0].Class
			}
		case interface{ Unwrap() []error }:
			if inner := e.Unwrap(); len(inner) > 0 {
				return ClassOf(inner[0])
			}
		}
	}
	return Internal
}

// As finds the Error in a chain; an error of nobody's class is wrapped.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "%v", err).Because(err)
}

// List is many problems, reported at once.
type List []*Error

func (l List) Error() string {
	lines := make([]string, len(l))
	for i, e := range l {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

func (l List) Unwrap() []error {
	errs := make([]error, len(l))
	for i, e := range l {
		errs[i] = e
	}
	return errs
}

// Add puts any error into the list: a List is flattened, nil is nothing.
func (l *List) Add(err error) {
	if err == nil {
		return
	}
	if many, ok := errors.AsType[List](err); ok {
		*l = append(*l, many...)
		return
	}
	*l = append(*l, As(err))
}

// Err gives the list as an error, sorted by place, or nil if it is empty. What was met
// many times, such as a lock that cannot be read, is said once.
func (l List) Err() error {
	if len(l) == 0 {
		return nil
	}
	sorted := slices.Clone(l)
	slices.SortStableFunc(sorted, func(a, b *Error) int {
		if c := strings.Compare(a.Place.File, b.Place.File); c != 0 {
			return c
		}
		if a.Place.Line != b.Place.Line {
			return a.Place.Line - b.Place.Line
		}
		return a.Place.Col - b.Place.Col
	})
	return slices.CompactFunc(sorted, func(a, b *Error) bool { return a.Place.File != "" && a.Error() == b.Error() })
}
