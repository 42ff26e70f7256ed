package cli

import (
	"github.com/spf13/cobra"

	"github.com/llmx-dev/llmx/internal/fault"
)

// newHelp shows the help of a command or a topic, and refuses what is neither: cobra's
// own shows the general help then, as if it were that.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND…]",
		Short: "Help on a command, or on a topic",
		RunE: func(_ *cobra.Command, args []string) error {
			found, rest, err := root.Find(args)
			if err != nil || found == nil || len(rest) > 0 {
				var names []string
				for _, sub := range root.Commands() {
					names = append(names, sub.Name())
				}
				return fault.New(fault.Usage, "there is no help on %q", args[len(args)-1]).WithHint("%s", fault.Allowed(args[len(args)-1], names))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
