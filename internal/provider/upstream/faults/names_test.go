package faults

import (
	"strings"
	"testing"
	"time"
)

func TestNamesAreAllNamed(t *testing.T) {
	for _, name := range Names() {
		for _, around := range []string{"", "-once", "-twice", "-always", "@a", "-once@a"} {
			if _, err := Named(name + around); err != nil {
				t.Errorf("%s: %v", name+around, err)
			}
		}
	}
}

func TestNamesThatSayNothingAreRefused(t *testing.T) {
	for name, want := range map[string]string{
		"slow-first-tokn":      `did you mean "slow-first-token-20s"`,
		"":                     "allowed: ",
		"ok-20s":               "no scenario is called",
		"okay":                 "no scenario is called",
		"cut-3s":               "takes a share",
		"slow-first-token-3":   "takes a duration",
		"slow-first-token-x":   "for example slow-first-token-20s",
		"stall-1/2":            "takes a count",
		"cut-3/2":              "takes a share",
		"cut-101%":             "takes a share",
		"503-once-once":        "no scenario is called",
		"slow-first-token--3s": "takes a duration",
	} {
		_, err := Named(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", name, err, want)
		}
	}
}

func TestArguments(t *testing.T) {
	for text, want := range map[string]struct {
		argument
		kind string
	}{
		"20s": {argument{duration: 20 * time.Second}, "duration"},
		"5%":  {argument{share: 0.05}, "share"},
		"1/4": {argument{share: 0.25}, "share"},
		"307": {argument{count: 307}, "count"},
		"":    {argument{}, ""},
	} {
		if got, kind := parseArgument(text); got != want.argument || kind != want.kind {
			t.Errorf("%q: %+v, a %s", text, got, kind)
		}
	}
}
