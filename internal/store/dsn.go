package store

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// writerDSN comes with busy_timeout first, so that all that follows waits for a
// lock instead of failing; auto_vacuum must precede the first page.
func writerDSN(path string, busy time.Duration, maxPages int) string {
	dsn := fmt.Sprintf("%s?_pragma=busy_timeout(%d)&_pragma=auto_vacuum(2)&_pragma=journal_mode(WAL)"+
		"&_pragma=synchronous(NORMAL)&_pragma=cache_size(-4000)&_pragma=wal_autocheckpoint(4000)&_error_rc=1",
		fileURI(path), busy.Milliseconds())
	if maxPages > 0 {
		dsn += fmt.Sprintf("&_pragma=max_page_count(%d)", maxPages)
	}
	return dsn
}

// readerDSN reads; settled is for a file that nobody is writing: then SQLite makes
// no files beside it, which it does for any other reader of a file with a log.
func readerDSN(path string, busy time.Duration, settled bool) string {
	dsn := fmt.Sprintf("%s?mode=ro&_pragma=busy_timeout(%d)&_pragma=query_only(1)&_pragma=cache_size(-500)&_error_rc=1",
		fileURI(path), busy.Milliseconds())
	if settled {
		dsn += "&immutable=1"
	}
	return dsn
}

// hasLog reports whether something stands in the log beside the file: somebody is
// writing, or was killed.
func hasLog(path string) bool {
	info, err := os.Stat(path + "-wal")
	return err == nil && info.Size() > 0
}

// fileURI names a file so that no character of its path is taken for a part of
// the URI.
func fileURI(path string) string {
	if absolute, err := filepath.Abs(path); err == nil {
		path = absolute
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // a drive letter
		path = "/" + path
	}
	return "file://" + (&url.URL{Path: path}).EscapedPath()
}
