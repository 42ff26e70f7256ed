package faults

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestMemoryCarriesMoreThanItHolds(t *testing.T) {
	near, far := connect("a", "b")
	sent := bytes.Repeat([]byte("0123456789abcdef"), maxUnread/4) // four times what it holds
	go func() {
		if n, err := near.Write(sent); n != len(sent) || err != nil {
			t.Errorf("%d bytes were written: %v", n, err)
		}
		near.Close()
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came: %v", len(got), len(sent), err)
	}
}

func TestMemoryEndsAsTCPDoes(t *testing.T) {
	for name, test := range map[string]struct {
		end         func(*memoryConn)
		read, write error
	}{
		"closed": {func(c *memoryConn) { c.Close() }, io.EOF, syscall.EPIPE},
		"reset":  {(*memoryConn).reset, syscall.ECONNRESET, syscall.ECONNRESET},
	} {
		near, far := connect("a", "b")
		if _, err := near.Write([]byte("last words")); err != nil {
			t.Fatal(err)
		}
		test.end(near)
		if _, err := near.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: reading here says %v", name, err)
		}
		if _, err := near.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Errorf("%s: writing here says %v", name, err)
		}
		got, err := io.ReadAll(far)
		if string(got) != "last words" || test.read != io.EOF && !errors.Is(err, test.read) || test.read == io.EOF && err != nil {
			t.Errorf("%s: there came %q and %v", name, got, err)
		}
		if _, err := far.Write([]byte("x")); !errors.Is(err, test.write) {
			t.Errorf("%s: writing there says %v", name, err)
		}
	}
}

func TestMemoryKeepsDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, _ := connect("a", "b")
		start := time.Now()
		late := func(op string, err error, after time.Duration) {
			t.Helper()
			if took := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || took != after {
				t.Errorf("%s says %v after %v, want %v", op, err, took, after)
			}
		}
		_ = near.SetDeadline(start.Add(time.Minute))
		_ = near.SetWriteDeadline(start.Add(2 * time.Minute))
		_, err := near.Read(make([]byte, 1))
		late("a read", err, time.Minute)
		n, err := near.Write(make([]byte, maxUnread+1))
		late("a write", err, 2*time.Minute)
		if n != maxUnread {
			t.Errorf("%d bytes were taken", n)
		}
		go func() {
			time.Sleep(time.Hour)
			_ = near.SetReadDeadline(time.Unix(1, 0)) // as net/http ends a read that waits
		}()
		_ = near.SetReadDeadline(time.Time{})
		_, err = near.Read(make([]byte, 1))
		late("a read that is called off", err, time.Hour+2*time.Minute)
		near.Close()
	})
}
