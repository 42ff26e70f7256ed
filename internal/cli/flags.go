package cli

import (
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmx-dev/llmx/internal/fault"
)

// wrongFlag gives pflag's refusals our form: without the words of the parser below
// it, with what the flag takes, and with the nearest flag.
func wrongFlag(cmd *cobra.Command, err error) error {
	message, _, _ := strings.Cut(err.Error(), ": strconv.")
	refusal := fault.New(fault.Usage, "%s", message).WithHint("see %s --help", cmd.CommandPath())
	if name, ok := strings.CutPrefix(message, "unknown flag: --"); ok {
		var names []string
		cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, "--"+f.Name) })
		refusal.WithHint("%s", fault.Allowed("--"+name, names))
	}
	if found := refusedValue.FindStringSubmatch(message); found != nil {
		if flag := cmd.Flags().Lookup(found[2]); flag != nil && valueWords[flag.Value.Type()] != "" {
			refusal.Message = "--" + found[2] + " " + found[1] + " is not " + valueWords[flag.Value.Type()]
		}
	}
	return refusal
}

// refusedValue are pflag's words for a value that a flag does not take.
var refusedValue = regexp.MustCompile(`^invalid argument "(.*)" for "(?:-., )?--([a-z-]+)" flag`)

// valueWords say what the kinds of flags take.
var valueWords = map[string]string{"int": "a whole number", "intSlice": "a whole number, or a list of them", "bool": "true or false"}

// emptyFlag refuses a flag that is there without a value, as where a script's variable is
// not set: without the flag all is asked, and nothing bounds what it costs.
func emptyFlag(cmd *cobra.Command) error {
	var problems fault.List
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if text := f.Value.String(); f.Changed && (text == "" || text == "[]") {
			problems.Add(fault.New(fault.Usage, "--%s is empty", f.Name).WithHint("give it a value, or leave it out"))
		}
	})
	return problems.Err()
}
