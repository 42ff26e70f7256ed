package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/llm"
)

const promptColumns = `hash, name, version, saved, content`

type savedPrompt struct {
	ref     llm.PromptRef
	content []byte
	at      time.Time
}

// SavePrompt queues the content of a prompt under its hash. What is there
// already is not written again.
func (s *Store) SavePrompt(ref llm.PromptRef, content []byte) error {
	if err := s.writable(); err != nil {
		return err
	}
	saved := &savedPrompt{ref: ref, content: content, at: s.now()}
	if _, known := s.prompts.LoadOrStore(ref.Hash, saved); known {
		return s.writer.err()
	}
	err := s.writer.send(work{prompt: saved, size: int64(len(content))})
	if err != nil {
		s.prompts.Delete(ref.Hash) // the next time may be luckier
	}
	return err
}

// savedPrompts are those that this process has saved, for a file that is made anew.
func (s *Store) savedPrompts() (all []work) {
	s.prompts.Range(func(_, saved any) bool {
		all = append(all, work{prompt: saved.(*savedPrompt)})
		return true
	})
	return all
}

func (w *writer) insertPrompt(p *savedPrompt) error {
	content := p.content
	if content == nil {
		content = []byte{} // empty, not NULL
	}
	return w.inserts.prompt.exec(p.ref.Hash, textValue(p.ref.Name), textValue(p.ref.Version), p.at.UnixNano(), content)
}

// Prompt finds the content of a prompt by its hash. The name and version are
// those under which it was saved first.
func (s *Store) Prompt(ctx context.Context, hash string) ([]byte, llm.PromptRef, error) {
	ref := llm.PromptRef{Hash: hash}
	var name, version sql.NullString
	var content []byte
	err := s.readers.QueryRowContext(ctx, "SELECT name, version, content FROM prompts WHERE hash = ?", hash).Scan(&name, &version, &content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, llm.PromptRef{}, fault.New(fault.Usage, "the store has no prompt with the hash %q", hash)
	}
	if err != nil {
		return nil, llm.PromptRef{}, s.failure("read", err)
	}
	ref.Name, ref.Version = name.String, version.String
	return content, ref, nil
}
