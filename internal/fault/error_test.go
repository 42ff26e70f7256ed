package fault

import (
	"errors"
	"testing"
)

func TestErrorPrintsPlaceMessageAndHint(t *testing.T) {
	place := Place{File: "suites/a.yaml", Line: 3, Col: 5}
	secret := errors.New("sk-secret")
	for want, err := range map[string]*Error{
		"it is wrong":                                      New(Usage, "it is %s", "wrong"),
		"it is wrong\n  did you mean right?":               New(Usage, "it is wrong").WithHint("did you mean %s?", "right"),
		"suites/a.yaml:3:5: it is wrong":                   At(place, "it is wrong"),
		"suites/a.yaml:3:5: it is wrong\n  allowed: right": At(place, "it is wrong").WithHint("allowed: right").Because(secret),
		"suites/a.yaml:3: it is wrong":                     At(Place{File: "suites/a.yaml", Line: 3}, "it is wrong"),
		"suites/a.yaml: it is wrong":                       At(Place{File: "suites/a.yaml", Col: 5}, "it is wrong"),
	} {
		if got := err.Error(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if err := New(Usage, "x").Because(secret); !errors.Is(err, secret) {
		t.Error("the cause is lost")
	}
	if e := As(secret); e.Class != Internal || e.Message != "sk-secret" || !errors.Is(e, secret) {
		t.Errorf("an error of nobody's is %+v", e)
	}
}
