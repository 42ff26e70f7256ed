// Command llmx tests prompts and serves them, through one runtime.
package main

import (
	"os"

	"github.com/llmx-dev/llmx/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:]))
}
