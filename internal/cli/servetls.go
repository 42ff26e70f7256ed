package cli

import (
	"context"
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/llmx-dev/llmx/internal/config"
	"github.com/llmx-dev/llmx/internal/fault"
)

// certificateEvery is how often a server looks whether its certificate was renewed.
const certificateEvery = time.Second

// certificate is read from two files, and again when they change.
type certificate struct {
	cert, key string // paths
	place     fault.Place
	log       *slog.Logger
	current   atomic.Pointer[tls.Certificate]
	seen      [2]stamp // of the goroutine that watches
}

// stamp is what changes with a file.
type stamp struct {
	changed time.Time
	size    int64
}

func stampOf(file string) stamp {
	info, err := os.Stat(file) // follows links, as renewals are often made of them
	if err != nil {
		return stamp{}
	}
	return stamp{info.ModTime(), info.Size()}
}

// openCertificate reads the files that llmx.yaml names.
func (p *project) openCertificate(files *config.TLS, log *slog.Logger) (*certificate, error) {
	c := &certificate{cert: p.path(files.Cert), key: p.path(files.Key), place: files.Place, log: log}
	c.seen = c.stamps()
	return c, c.read()
}

// path is that of a file that llmx.yaml names.
func (p *project) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(p.root, filepath.FromSlash(name))
}

func (c *certificate) stamps() [2]stamp { return [2]stamp{stampOf(c.cert), stampOf(c.key)} }

func (c *certificate) read() error {
	read, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fault.At(c.place, "the certificate cannot be used: %s", reason(err)).
			WithHint("serve.tls.cert and serve.tls.key name two PEM files that belong together").Because(err)
	}
	c.current.Store(&read)
	return nil
}

// watch takes renewed files until ctx ends. While they do not belong together, as
// between the writing of the one and the other, the old ones stay.
func (c *certificate) watch(ctx context.Context) {
	ticker := time.NewTicker(certificateEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := c.stamps()
		if now == c.seen {
			continue
		}
		c.seen = now
		if err := c.read(); err != nil {
			c.log.Error("the certificate was changed and cannot be used: the one before stays", "error", fault.As(err).Message)
			continue
		}
		c.log.Info("the certificate was renewed", "until", c.current.Load().Leaf.NotAfter)
	}
}
