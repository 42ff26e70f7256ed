package cli

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"path"
	"time"
)

// fingerprint tells whether the files that a server reads have changed: names, sizes and
// times of llmx.yaml and of all below prompts/. Two that are equal are the same files, but
// for one that was written twice within a tick of the file system's clock to the same size.
type fingerprint uint64

// printer makes fingerprints.
type printer struct {
	files fs.FS
	sum   interface {
		Write([]byte) (int, error)
		Sum64() uint64
	}
}

// deepest bounds directories within directories: a link may lead into what it stands in.
const deepest = 16

func fingerprintOf(files fs.FS) fingerprint {
	p := printer{files, fnv.New64a()}
	p.file(configFile)
	p.directory(promptsDir, 0)
	return fingerprint(p.sum.Sum64())
}

// file follows links, as reading does: one that leads elsewhere now is another file.
func (p printer) file(name string) fs.FileInfo {
	info, err := fs.Stat(p.files, name)
	if err != nil {
		fmt.Fprintf(p.sum, "%s\x00none\n", name)
		return nil
	}
	if info.IsDir() {
		fmt.Fprintf(p.sum, "%s\x00dir\n", name)
		return info
	}
	fmt.Fprintf(p.sum, "%s\x00%d\x00%d\x00%o\n", name, info.Size(), info.ModTime().UnixNano(), info.Mode())
	return info
}

func (p printer) directory(name string, depth int) {
	entries, err := fs.ReadDir(p.files, name)
	if err != nil || depth > deepest {
		return
	}
	for _, entry := range entries {
		below := path.Join(name, entry.Name())
		if info := p.file(below); info != nil && info.IsDir() {
			p.directory(below, depth+1)
		}
	}
}

// restFor is how long a look at the files is followed by none, so that looking takes at
// most a fiftieth of one processor, however many files there are.
func restFor(every, took time.Duration) time.Duration { return max(every, 50*took) }
