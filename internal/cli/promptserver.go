package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/prompt"
	"github.com/llmx-dev/llmx/internal/report"
	"github.com/llmx-dev/llmx/internal/server"
)

// keyVariable has the key by which llmx asks running servers.
const keyVariable = "LLMX_KEY"

// askServerFor bounds one question to a server.
const askServerFor = 10 * time.Second

// onServers are the flags of a label that is set on running servers.
type onServers struct {
	servers []string
	because string
	until   string
	percent float64
	flags   *pflag.FlagSet
}

const onServersHelp = `

With --server the label is set on running servers, in under a second and without a
restart. They keep it in their store, and it beats their files until these say the
same or --until is over. --because is required: it is shown in /readyz, and in
llmx prompt audit. Where servers ask for keys, LLMX_KEY has one with the right to
administer.`

func (o *onServers) add(flags *pflag.FlagSet) {
	o.flags = flags
	flags.StringSliceVar(&o.servers, "server", nil, "set it on the servers at these `URLs`, in place of the file")
	flags.StringVar(&o.because, "because", "", "the `REASON`, with --server")
	flags.StringVar(&o.until, "until", "", "with --server: ends by itself after this `TIME`: 2h, 3d, 2026-05-01")
	flags.Float64Var(&o.percent, "percent", 0, "with --server: only for this `SHARE` of those who ask for the bare name; 0 for its own name alone")
}

// asked reports whether servers are meant, and refuses flags that do not go together.
func (o *onServers) asked(now time.Time) (bool, error) {
	if len(o.servers) == 0 {
		for _, name := range []string{"because", "until", "percent"} {
			if o.flags.Changed(name) {
				return false, fault.New(fault.Usage, "--%s goes with --server", name).
					WithHint("in labels.yaml a share is written {version: 1.2.0, percent: 5}; git has the reason")
			}
		}
		return false, nil
	}
	if strings.TrimSpace(o.because) == "" {
		return false, fault.New(fault.Usage, "--server needs a reason").WithHint(`say --because "…": those who look for what is served will read it`)
	}
	if o.percent < 0 || o.percent > 100 {
		return false, fault.New(fault.Usage, "--percent %g is no share", o.percent).WithHint("allowed: 0 to 100")
	}
	if o.until != "" {
		if _, ok := server.ParseUntil(o.until, now); !ok {
			return false, fault.New(fault.Usage, "--until %s is no time to come", o.until).WithHint("write it like 2h, 3d, 2026-05-01 or 2026-05-01T09:00:00Z")
		}
	}
	for _, at := range o.servers {
		if err := checkServer(at); err != nil {
			return false, err
		}
	}
	return true, nil
}

// checkServer refuses what is no address of a server.
func checkServer(text string) error {
	at, err := url.Parse(text)
	if err != nil || at.Scheme != "http" && at.Scheme != "https" || at.Host == "" || at.User != nil {
		return fault.New(fault.Usage, "--server %s is no address of a server", text).WithHint("write it like http://127.0.0.1:8787")
	}
	return nil
}

// setLabels asks every server, tells what each has said, and fails if one has not done it.
func (o *onServers) setLabels(ctx context.Context, w *World, body map[string]any) error {
	body["because"] = o.because
	if o.until != "" {
		body["until"] = o.until
	}
	if o.flags.Changed("percent") {
		body["percent"] = o.percent
	}
	ctx, release := w.cancelable(ctx)
	defer release()
	text, err := json.Marshal(body)
	if err != nil {
		return fault.New(fault.Internal, "the label cannot be asked for: %v", err)
	}
	set, failed := make([]prompt.Override, len(o.servers)), make([]error, len(o.servers))
	var all sync.WaitGroup
	for i, at := range o.servers {
		all.Go(func() { failed[i] = askServer(ctx, w, http.MethodPost, at, "/v1/labels", text, &set[i]) })
	}
	all.Wait()
	return o.tell(w, set, failed)
}

func (o *onServers) tell(w *World, set []prompt.Override, failed []error) error {
	bad, class := 0, fault.Usage
	for i, at := range o.servers {
		if failed[i] == nil {
			fmt.Fprintf(w.Stdout, "%s: %s\n", at, labelTold(set[i]))
			continue
		}
		bad++
		e := fault.As(failed[i])
		fmt.Fprintf(w.Stdout, "%s: NOT SET: %s\n", at, report.Printable(e.Message))
		if e.Class != fault.Usage {
			class = e.Class
		}
	}
	if bad == 0 {
		return nil
	}
	failure := fault.New(class, "%d of %s did not set the label", bad, counted(len(o.servers), "server"))
	if bad < len(o.servers) {
		failure = failure.WithHint("they serve different releases now: run it again for those")
	}
	return failure
}

func labelTold(o prompt.Override) string {
	text := fmt.Sprintf("%s@%s is %s now", o.Prompt, o.Label, o.Version)
	if o.Percent > 0 {
		text += fmt.Sprintf(" for %g %%", o.Percent)
	}
	if o.Before != "" && o.Before != o.Version {
		text += ", it was " + o.Before
	}
	switch {
	case o.How == prompt.EndAgreed:
		text += "; its files say so"
	case o.Until.IsZero():
		text += "; until its files say so"
	default:
		text += "; until " + o.Until.Format(time.RFC3339)
	}
	return text
}

// askServer sends one request to a server of ours. A refusal has its words.
func askServer(ctx context.Context, w *World, method, at, path string, body []byte, into any) error {
	ctx, cancel := context.WithTimeout(ctx, askServerFor)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(at, "/")+path, bytes.NewReader(body))
	if err != nil {
		return fault.New(fault.Usage, "%s is no address of a server", at).Because(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key, ok := w.LookupEnv(keyVariable); ok && key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := http.Client{ // a redirect could carry the key elsewhere
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true},
	}
	resp, err := client.Do(req)
	if err != nil {
		return fault.New(fault.Network, "the server cannot be reached: %s", unreached(err)).Because(err)
	}
	defer resp.Body.Close()
	const most = 8 << 20
	text, err := io.ReadAll(io.LimitReader(resp.Body, most))
	if err != nil {
		return fault.New(fault.Network, "the server's answer was cut").Because(err)
	}
	if resp.StatusCode == http.StatusOK {
		if err := json.Unmarshal(text, into); err != nil {
			return fault.New(fault.Malformed, "the answer is none of llmx serve").Because(err)
		}
		return nil
	}
	return refusedBy(resp.StatusCode, text)
}

func refusedBy(status int, text []byte) error {
	var said struct {
		Error struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	class, message := fault.Network, "it answers with status "+http.StatusText(status)
	if json.Unmarshal(text, &said) == nil && said.Error.Message != "" {
		message = said.Error.Message
	}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		class, message = fault.Auth, message+"; "+keyVariable+" has the key"
	case status >= 400 && status < 500:
		class = fault.Usage
	}
	return fault.New(class, "%s", message)
}

// unreached is the cause without the address, which is told apart.
func unreached(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Sprintf("no answer within %v", askServerFor)
	}
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err.Error()
	}
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err.Error()
	}
	return err.Error()
}
