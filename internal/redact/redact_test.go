package redact

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
)

func TestWhatIsTakenOut(t *testing.T) {
	// No key below was ever one: they only look so.
	for text, want := range map[string]string{
		// secrets
		"my key is sk-proj-abcDEF1234567890abcdefXYZ, help":                           "my key is [secret-1], help",
		"AKIAIOSFODNN7EXAMPLE":                                                        "[secret-1]",
		"ghp_abcdefghijklmnopqrstuvwxyz0123456789":                                    "[secret-1]",
		"use llmx_3f9a1c7be0d24c58a6b1 here":                                          "use [secret-1] here",
		"xoxb-123456789012-abcdefghijkl":                                              "[secret-1]",
		"Authorization: Bearer abc123def456ghi789jkl":                                 "Authorization: Bearer [secret-1]",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P":   "[secret-1]",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----!":  "[secret-1]!",
		"-----BEGIN OPENSSH PRIVATE KEY-----\ncut off":                                "[secret-1]",
		"postgres://app:s3cr3t@db.example.com/shop":                                   "postgres://app:[secret-1]@db.example.com/shop",
		"https://u:p@ss.example.com":                                                  "https://u:[secret-1]@ss.example.com",
		"my password: hunter2!x":                                                      "my password: [secret-1]",
		`{"api_key": "0a1b2c3d4e5f"}`:                                                 `{"api_key": "[secret-1]"}`,
		"DB_PASSWORD=pa55word99 and more":                                             "DB_PASSWORD=[secret-1] and more",
		"password is Tr0ub4dor&3, pw: abc123!, pass=abc12345":                         "password is [secret-1], pw: [secret-2], pass=[secret-3]",
		"token=abcdefghijklmnopqrstuvwxyz; session=abcdef0123456789":                  "token=[secret-1]; session=[secret-2]",
		"https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuv": "https://hooks.slack.com/services/[secret-1]",
		"ssn 123-45-6789":                                                             "ssn [ssn-1]",
		// e-mail
		"write to Jane.Doe+shop@mail.example.co.uk.": "write to [email-1].",
		"<jörg@müller.de>, jörg@müller.de":           "<[email-1]>, [email-1]",
		"A@B.com a@b.com c@d.org":                    "[email-1] [email-1] [email-2]",
		"mailto:support@example.com?subject=x":       "mailto:[email-1]?subject=x",
		"o'neill@example.com":                        "[email-1]",
		// phone
		"call +49 170 1234567 now": "call [phone-1] now",
		"+1 (555) 234-5678":        "[phone-1]",
		"+442079460958":            "[phone-1]",
		"+49 (0)30 901820-12":      "[phone-1]",
		"0049 170 1234567":         "[phone-1]",
		"(555) 234-5678 or 555-234-5678 or 1-555-234-5678": "[phone-1] or [phone-1] or [phone-2]",
		"Tel. 0170/1234567, 030 - 901820":                  "Tel. [phone-1], [phone-2]",
		"06 12 34 56 78, 06.12.34.56.79":                   "[phone-1], [phone-2]",
		"+4915112345678":                                   "[phone-1]",
		"my phone no. is 0171 2345678":                     "my phone no. is [phone-1]",
		"020 7946 0958":                                    "[phone-1]",
		"(030) 9018 2012":                                  "[phone-1]",
		"my phone is 5552345678":                           "my phone is [phone-1]",
		"WhatsApp: 170 1234567":                            "WhatsApp: [phone-1]",
		// accounts and cards
		"IBAN DE89 3704 0044 0532 0130 00 PLEASE":             "IBAN [iban-1] PLEASE",
		"gb82west12345698765432, GB82 WEST 1234 5698 7654 32": "[iban-1], [iban-1]",
		"FR1420041010050500013M02606.":                        "[iban-1].",
		"NO9386011117947":                                     "[iban-1]",
		"4111 1111 1111 1111 exp 12/27":                       "[card-1] exp 12/27",
		"4111111111111111, 5555-5555-5555-4444":               "[card-1], [card-2]",
		"378282246310005":                                     "[card-1]",
		// addresses on the network
		"from 203.0.113.9, again 203.0.113.9.":                 "from [ip-1], again [ip-1].",
		"2001:db8::ff00:42:8329 and 2001:0db8::ff00:0042:8329": "[ip-1] and [ip-1]",
		"http://198.51.100.7:8080/x":                           "http://[ip-1]:8080/x",
		"I am u-381.":                                          "I am [user-1].",
	} {
		if got := New("u-381").Text(text); got != want {
			t.Errorf("%q\n gave %q\n want %q", text, got, want)
		}
	}
}

func TestWhatStays(t *testing.T) {
	for _, text := range []string{
		"", "a", "@", "I was charged twice, fix it NOW", "order 8841 cost $4,900.00 on 2026-11-20 at 12:30:45",
		"order 100-2345-6789 and invoice 2026-000123-77", "#555-234-5678", "RE-2026-0012345", "ISBN 978-3-16-148410-0", "EAN 4006381333931",
		"tracking 1Z999AA10123456784, JD014600006228974023", "4111 1111 1111 1112 fails its check digit", "1234567890123456", "9999999999999995",
		"20261120123000", "1763636400", "1763636400123", "01/02/2026 and 20.11.2026, 11-20-2026", "2026-11-20T12:30:45.123456Z", "+5 degrees, +100 %, 1+2345678",
		"version 1.2.3.4 and v10.0.0.1", "firmware: 3.14.15.92", "127.0.0.1 and 0.0.0.0 and ::1", "12:30:45", "a::b", "std::vector<int>::size", "999.1.2.3", "1.2.3.4.5",
		"DE89 3704 0044 0532 0130 01", "DE00 IS NO ACCOUNT NUMBER AT ALL", "XX12 3456 7890 1234 5678",
		"reset my password: please help", "password: forgotten", "the token: expired", "api_key: ${env:OPENAI_API_KEY}", "password=********", "password: {{ password }}",
		"a sk-learn model", "skip-this_word", "ask-me-anything-about-the-order-of-things", "hf_hub", "basic understanding of the matter", "Bearer of bad news",
		"https://example.com:8080/path?x=a@b", "npm install @scope/package@1.2.3", "git@", "@handle", "user@localhost",
		"between 100-200 and 300-400 pieces", "0.15 per million", "00 12 34", "the years 2019-2026",
		"§ 1.2.3.4 of the terms", "invoice 202-555-0143", "SKU 020-7946-0958", "Order no. 0171 2345678", "part 123-45-6789", "000-12-3456 and 123-00-4567",
		"password is wrong", "token: 2026-11-20", "session: AuthProvider.TokenSource", "the pass is over there", "it came to pass: nothing", "ticket 2024-555-0143", "size 10x20x30", "$555-234-5678",
		"3.141592653589793", "1,234,567.89", "lat 52.520008, lon 13.404954", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"u-3810 and xu-381", "[email-1] was here", "Janet has 16 - 3 - 4 = 9 eggs, 9 * 2 = $18", "He drove 60 mph for 120 miles in 2 hours",
	} {
		if got := New("u-381", "me").Text(text); got != text {
			t.Errorf("%q became %q", text, got)
		}
	}
}

// What a user's name is only a part of goes as a whole: the rest would say who it was.
func TestAUserWithinSomethingLonger(t *testing.T) {
	for text, want := range map[string]string{
		"jane <jane@doe.example>":                "[user-1] <[email-1]>",
		"mary.jane@doe.example, jane":            "[email-1], [user-1]",
		"https://jane:s3cr3t-pass@doe.example/x": "https://[user-1]:[secret-1]@doe.example/x",
	} {
		if got := New("jane").Text(text); got != want {
			t.Errorf("%q\n gave %q\n want %q", text, got, want)
		}
	}
	if got := New("jane@doe.example").Text("from jane@doe.example"); got != "from [user-1]" {
		t.Errorf("a user who is an address: %q", got)
	}
}

func TestAValueHasOnePlaceholderInAllTexts(t *testing.T) {
	r := New()
	value := map[string]any{
		"ticket": "I am a@b.com, not c@d.org", "order": json.Number("8841"), "card": json.Number("4111111111111111"), "ok": true, "none": nil,
		"thread": []any{map[string]any{"role": "user", "content": "C@D.org?"}}, "by a@b.com": "x",
	}
	want := map[string]any{
		"ticket": "I am [email-1], not [email-2]", "order": json.Number("8841"), "card": "[card-1]", "ok": true, "none": nil,
		"thread": []any{map[string]any{"role": "user", "content": "[email-2]?"}}, "by [email-1]": "x",
	}
	if got := r.Value(value); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if got := r.Text("c@d.org"); got != "[email-2]" {
		t.Errorf("got %s", got)
	}
	if got := r.Counts(); !reflect.DeepEqual(got, map[Kind]int{Email: 5, Card: 1}) {
		t.Errorf("counts %v", got)
	}
}

// FuzzText holds what is true of every text: it ends, what it gives is UTF-8 where the
// text was, and a second time nothing is found that was not there.
func FuzzText(f *testing.F) {
	for _, seed := range []string{"a@b.com", "+49 170 1234567", "4111 1111 1111 1111", "password: hunter2!x", "\xff@b.com", "2001:db8::1", "://:@", strings.Repeat("1 ", 40)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		once := New("user-1").Text(text)
		if strings.ToValidUTF8(text, "") == text && strings.ToValidUTF8(once, "") != once {
			t.Errorf("%q became %q", text, once)
		}
	})
}

func BenchmarkText(b *testing.B) {
	text := strings.Repeat("I was charged twice for order 8841 on 2026-11-20, and nobody answers. ", 30)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		New("u-381").Text(text)
	}
}
