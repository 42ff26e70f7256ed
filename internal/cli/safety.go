package cli

import (
	"io"

	"github.com/spf13/cobra"
)

const safetyHelp = `Who may ask llmx serve, and what bounds them.

KEYS
  Without a key this machine alone is served: the address of the peer counts, not only
  --addr, which may then be no other than one of loopback. Pages in a browser of this
  machine are refused (by Host, Origin and Sec-Fetch-Site), and so is what a proxy passes on.
  With the first key (llmx keys new NAME) everybody needs one; a key that has expired
  counts, so that nothing becomes open by the passing of time. Keys are read from the
  store four times a second and asked in memory; while the store cannot be read, the last
  known keys stand.

WHAT A KEY MAY
  prompts and models: what is not named is refused with 403.
  rpm, tpm, concurrency: what is too much is refused at once with 429, Retry-After and
  x-ratelimit-… headers; each server counts for itself. Tokens are estimated before a
  call and set right after it.
  usd per day or month: in one ledger with all budgets, over all servers on a store and
  across restarts; llmx cost shows it.
  tenant: two tenants never share a cached answer. A key without one is its own.

WHAT IS KEPT
  Of a key a hash, and nothing in a log. With keys llmx.yaml must say what is kept of what
  others write, and for how long:
    store: {content: redacted, keep: 30d}     content: full, redacted or none
  redacted and none keep of a call no inputs, messages, tools, schemas of requests, answers and
  users; redacted keeps the answers of test runs. The log has no contents: what is wrong with a
  request is told there by its code and field, and in full to the caller.

BOUNDS (llmx.yaml, with their defaults)
    serve:
      max_body: 32MB             # 413
      max_connections: 20000     # one more is told 503 and closed
      header_timeout: 10s        # until the head of a request is there, and a TLS handshake done
      body_timeout: 60s          # until its body is: 408
      idle_timeout: 120s         # between two requests of a connection
      write_timeout: 30s         # of a piece of an answer that is not read
      tls: {cert: cert.pem, key: key.pem}
      cors: [https://app.example.com]
  The head of a request has at most 64 KB (431). It is HTTP/1.1, also under TLS, which
  is 1.2 or newer; certificates that are renewed are taken within a second or two, and a
  broken one leaves the old one in place. Without cors no page of another origin
  reads an answer.

ADDRESSES THAT CALLERS NAME
  Images and files by their address are passed on to the model's provider as they
  are. llmx connects to the providers of llmx.yaml and to nobody else, follows no redirect
  of theirs, and takes no path of a file from a caller.
`

// newSafetyTopic is the help topic on who may ask a server.
func newSafetyTopic() *cobra.Command {
	topic := &cobra.Command{Use: "safety", Short: "Who may ask llmx serve, and what bounds them: keys, limits, TLS"}
	topic.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		_, _ = io.WriteString(cmd.OutOrStdout(), safetyHelp) // output remembers a write that fails
	})
	return topic
}
