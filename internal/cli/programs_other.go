//go:build !unix

package cli

import "os/exec"

// group does nothing: what a program started may outlive it here.
func group(*exec.Cmd) {}

func endGroup(*exec.Cmd) {}
