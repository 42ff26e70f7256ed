package redact

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// rule finds one form. The group named x is what is taken out, the whole where there is
// none; holds looks closer at it, and says what equal values have in common.
type rule struct {
	kind  Kind
	hints []string // one of them stands in every text that the form matches, in lower case; none: any text
	form  *regexp.Regexp
	holds func(text string, from, to int) (same string, end int, ok bool)
}

// find passes on what a text has of the form.
func (r *rule) find(text string, add func(span)) {
	if !r.mayMatch(text) {
		return
	}
	group := max(0, r.form.SubexpIndex("x"))
	for at := 0; at < len(text); {
		m := r.form.FindStringSubmatchIndex(text[at:])
		if m == nil {
			return
		}
		from, to := at+m[2*group], at+m[2*group+1]
		next := max(at+m[1], from+1)
		same, ok := text[from:to], true
		if r.holds != nil {
			if same, to, ok = r.holds(text, from, to); !ok {
				next = from + 1 // the form may begin within
				for next < len(text) && (wordy(before(text, next)) || !utf8.RuneStart(text[next])) {
					next++
				}
			} else {
				next = max(to, from+1)
			}
		}
		if ok {
			add(span{from, to, r.kind, same})
		}
		at = next
	}
}

func (r *rule) mayMatch(text string) bool {
	if len(r.hints) == 0 {
		return true
	}
	lower := strings.ToLower(text)
	for _, hint := range r.hints {
		if strings.Contains(lower, hint) {
			return true
		}
	}
	return false
}

// rules in their order: what comes first is taken where two overlap.
var rules = []rule{
	{kind: Secret, hints: []string{"-----begin"}, form: regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|$)`)},
	{kind: Secret, hints: []string{"eyj"}, form: regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`)}, // a JSON web token
	{kind: Secret, hints: []string{"://"}, form: regexp.MustCompile(`\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@"'<>]*:(?P<x>[^\s/@"'<>]+)@`)},
	{kind: Secret, hints: []string{"bearer", "basic"}, form: regexp.MustCompile(`(?i)\b(?:bearer|basic)[ \t]+(?P<x>[A-Za-z0-9+/._~-]{16,}=*)`), holds: looksRandom},
	{kind: Secret, hints: keyHints, form: regexp.MustCompile(keyForms)},
	{kind: Secret, hints: []string{"pass", "pw", "secret", "key", "token", "kennwort", "session"},
		form:  regexp.MustCompile(`(?i)\b[a-z0-9_-]*(?:password|passwort|kennwort|passwd|passphrase|pass|pwd?|secret|api[_-]?key|access[_-]?key|auth[_-]?key|token|session(?:[_-]?id)?)["']?[ \t]*(?:[:=]|=>|is:?[ \t]|ist:?[ \t]|lautet:?[ \t])[ \t]*["']?(?P<x>[^\s"'<>,;)\]}]{6,})`),
		holds: looksRandom},
	{kind: Secret, hints: []string{"webhooks/", "hooks.slack"}, form: regexp.MustCompile(`\bhttps://(?:hooks\.slack\.com/services/|(?:discord|discordapp)\.com/api/webhooks/)(?P<x>[A-Za-z0-9/_-]{20,})`)},
	{kind: Email, hints: []string{"@"}, form: regexp.MustCompile(`[\p{L}\p{N}](?:[\p{L}\p{N}._%+'-]*[\p{L}\p{N}_+-])?@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+\p{L}{2,24}`), holds: anEmail},
	{kind: IBAN, form: regexp.MustCompile(`(?i)\b[A-Z]{2}[0-9]{2}(?:[ -]?[A-Z0-9]){11,30}`), holds: anIBAN},
	{kind: Card, form: regexp.MustCompile(`\b[2-6](?:[ -]?[0-9]){12,18}\b`), holds: aCard},
	{kind: SSN, form: regexp.MustCompile(`\b[0-8][0-9]{2}-[0-9]{2}-[0-9]{4}\b`), holds: anSSN},
	{kind: IP, hints: []string{"."}, form: regexp.MustCompile(`\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b`), holds: anIPv4},
	{kind: IP, hints: []string{":"}, form: regexp.MustCompile(`(?i)(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}`), holds: anIPv6},
	{kind: Phone, hints: []string{"+"}, form: regexp.MustCompile(`\+[1-9][0-9]{0,2}(?:[ ./-]?(?:\(0\)|\([0-9]{1,5}\)|[0-9]{1,12})){1,8}`), holds: aPhone(9, 15)},
	{kind: Phone, hints: []string{"00"}, form: regexp.MustCompile(`\b00[1-9][0-9]{0,2}(?:[ ./-](?:\(0\)|\([0-9]{1,5}\)|[0-9]{2,12})){2,8}`), holds: aPhone(11, 17)},
	{kind: Phone, form: regexp.MustCompile(`(?:\b1[ .-])?(?:\([2-9][0-9]{2}\)[ ]?|\b[2-9][0-9]{2}[.-])[2-9][0-9]{2}[ .-][0-9]{4}\b`), holds: unnumbered(aPhone(10, 11))}, // North America
	{kind: Phone, form: regexp.MustCompile(`(?:\b0[1-9][0-9]{1,4}|\(0[1-9][0-9]{1,4}\))(?:[ /-]{1,3}[0-9]{2,8}){1,4}\b`), holds: unnumbered(aPhone(9, 13))},              // with the 0 of a trunk call
	{kind: Phone, form: regexp.MustCompile(`\b0[1-9](?:[ .-][0-9]{2}){4}\b`), holds: unnumbered(aPhone(10, 10))},                                                         // France
	{kind: Phone, hints: []string{"phone", "tel", "call", "mobil", "handy", "cell", "whatsapp", "fax", "ruf", "sms"},
		form:  regexp.MustCompile(`(?i)\b(?:(?:tele)?phone|tele(?:f|ph)on(?:nummer)?|tel|call (?:me|us)|reach me|mobile?|handy(?:nummer)?|cell(?:phone)?|whatsapp|fax|rufnummer|anrufen|sms)\b[\s:.=]*(?:(?:number|nummer|no|nr|is|ist|lautet|at|on|unter)\b[\s:.]*){0,3}(?P<x>[0-9(][0-9 ()/.-]{6,18}[0-9])`),
		holds: aPhone(7, 13)},
}

// keyForms are the keys that services give out, by how they begin.
const keyForms = `\b(?:` +
	`sk-[A-Za-z0-9_-]{20,}` + // OpenAI, Anthropic, OpenRouter, …
	`|(?:sk|rk|pk|whsec)_(?:live|test)?_?[A-Za-z0-9]{20,}` + // Stripe
	`|llmx_[A-Za-z0-9_-]{16,}` + // our own
	`|(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}` + // AWS
	`|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{30,}` +
	`|gl(?:pat|dt|rt)-[A-Za-z0-9_-]{20,}` + // GitLab
	`|xox[abeoprs]-[A-Za-z0-9-]{10,}|xapp-[A-Za-z0-9-]{20,}` + // Slack
	`|AIza[A-Za-z0-9_-]{35}|ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}` + // Google
	`|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}|pypi-[A-Za-z0-9_-]{50,}|dop_v1_[a-f0-9]{64}` +
	`|SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|key-[a-f0-9]{32}|gsk_[A-Za-z0-9]{30,}|r8_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{30,}` +
	`)`

var keyHints = []string{"sk-", "sk_", "rk_", "pk_", "whsec_", "llmx_", "akia", "asia", "abia", "acca", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_",
	"glpat-", "gldt-", "glrt-", "xox", "xapp-", "aiza", "ya29.", "gocspx-", "hf_", "npm_", "pypi-", "dop_v1_", "sg.", "key-", "gsk_", "r8_", "xai-"}

// before and after are the runes around a place, 0 at the ends.
func before(text string, at int) rune {
	if at == 0 {
		return 0
	}
	r, _ := utf8.DecodeLastRuneInString(text[:at])
	return r
}

func after(text string, at int) rune {
	if at >= len(text) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(text[at:])
	return r
}

func wordy(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }
