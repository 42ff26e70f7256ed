package report

import (
	"io"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/llm"
)

// KeyRow is a caller's key as people see it.
type KeyRow struct {
	Name, ID        string
	Tenant          string   // "": its own
	Prompts, Models []string // nil: all

	RPM, TPM, Concurrency int // 0: no bound
	Limit                 llm.Money
	Per                   string // of Limit, "" for none

	Admin                     bool      // it may set labels
	Created, Expires, Revoked time.Time // zero: never
}

// KeyList writes keys, one a line, in the order given.
func KeyList(w io.Writer, keys []KeyRow, now time.Time, s Style) error {
	p := newPage(w, s)
	if len(keys) == 0 {
		p.line(text("no keys, so llmx serve serves this machine alone: llmx keys new NAME makes one"))
		return p.end()
	}
	columns := []column{{title: "KEY", least: narrowest}, {title: "ID"}, {title: "STATE"}, {title: "PROMPTS", least: narrowest}, {title: "MODELS", least: narrowest},
		{title: "LIMITS", least: narrowest}, {title: "BUDGET"}, {title: "TENANT", least: narrowest}, {title: "CREATED"}}
	rows := make([][]span, len(keys))
	for i, key := range keys {
		rows[i] = []span{{key.Name, strong}, text(key.ID), key.state(now), text(mayAsk(key.Prompts)), text(mayAsk(key.Models)),
			text(key.limits()), text(key.budget()), text(orOwn(key.Tenant)), text(key.Created.UTC().Format(time.DateOnly))}
	}
	p.table("", columns, rows)
	return p.end()
}

// State is live, expired or revoked.
func (k *KeyRow) State(now time.Time) string {
	switch {
	case !k.Revoked.IsZero():
		return "revoked"
	case !k.Expires.IsZero() && !now.Before(k.Expires):
		return "expired"
	}
	return "live"
}

func (k *KeyRow) state(now time.Time) span {
	switch state := k.State(now); {
	case state == "revoked":
		return span{"revoked " + k.Revoked.UTC().Format(time.DateOnly), faint}
	case state == "expired":
		return span{"expired " + k.Expires.UTC().Format(time.DateOnly), bad}
	case !k.Expires.IsZero():
		return text("until " + k.Expires.UTC().Format(time.DateOnly))
	case k.Admin:
		return text("live, admin")
	default:
		return text(state)
	}
}

func mayAsk(names []string) string {
	switch {
	case names == nil:
		return "all"
	case len(names) == 0:
		return "none"
	}
	return strings.Join(names, ", ")
}

func (k *KeyRow) limits() string {
	var limits []string
	for _, one := range []struct {
		n    int
		what string
	}{{k.RPM, "rpm"}, {k.TPM, "tpm"}, {k.Concurrency, "at once"}} {
		if one.n > 0 {
			limits = append(limits, number(one.n)+" "+one.what)
		}
	}
	if limits == nil {
		return "none"
	}
	return strings.Join(limits, ", ")
}

func (k *KeyRow) budget() string {
	if k.Per == "" {
		return "none"
	}
	return k.Limit.String() + " a " + k.Per
}

func orOwn(tenant string) string {
	if tenant == "" {
		return "its own"
	}
	return tenant
}
