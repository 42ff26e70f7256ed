package scorer

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/llmx-dev/llmx/internal/eval"
	"github.com/llmx-dev/llmx/internal/fault"
	"github.com/llmx-dev/llmx/internal/strictyaml"
)

type dateArgs struct {
	Value   wanted       `yaml:"value" json:"value,omitzero"`
	Same    string       `yaml:"same" json:"same,omitempty" oneof:"day time"`
	Formats []dateFormat `yaml:"formats" json:"formats,omitempty"`
	Extract *extraction  `yaml:"extract" json:"extract,omitempty"`
	options `yaml:",inline" json:"-"`
}

// parseDate: date for the golden answer, {date: 2026-11-22}, or {date: {value: …,
// same: day|time, formats: [D.M.YYYY], extract: {path: due}}}. The answer must be a
// date and nothing else, in one of the formats. same: day compares the days as they
// are written, whatever the zone; same: time compares instants where both name a zone,
// and the time as it is written where neither does. Without same it is time where the
// wanted date has one. The wanted date is written in a format that is known without
// being named.
func parseDate(n strictyaml.Node) (rule, error) {
	var args dateArgs
	if err := decodeOr(n, &args, args.Value.UnmarshalNode); err != nil {
		return rule{}, err
	}
	if n.Get("formats").Exists() && len(args.Formats) == 0 {
		return rule{}, n.Get("formats").Errorf("no format is named").WithHint("leave formats out for those that are known: %s", knownFormats())
	}
	if err := args.Value.check(args.fits); err != nil {
		return rule{}, err
	}
	return rule{
		args: args, options: args.options, needs: args.Value.needs(), fits: args.fits,
		about: "is the date " + args.Value.about(), judge: args.judge,
	}, nil
}

func (a *dateArgs) fits(value any) error {
	text, ok := value.(string)
	d, known := readDate(text, dateFormats)
	switch {
	case !ok || !known:
		return fault.New(fault.Invalid, "want a date, got %s %s", typeName(value), show(value)).WithHint("write 2026-11-22, or another known format: %s", knownFormats())
	case a.Same == "time" && !d.format.time:
		return fault.New(fault.Invalid, "the wanted date %s has no time to compare", text).WithHint("write same: day, or 2026-11-22T15:04:05Z")
	}
	return nil
}

func (a *dateArgs) judge(s *eval.Subject) (bool, string, error) {
	value, err := a.Value.of(s, a.fits)
	if err != nil {
		return false, "", err
	}
	text, ok, reason := a.Extract.from(s)
	if !ok {
		return false, reason, nil
	}
	formats := dateFormats
	if len(a.Formats) > 0 {
		formats = a.Formats
	}
	if inner, isText := s.Value.(string); isText && a.Extract == nil {
		text = inner // a contract of a JSON string
	}
	want, _ := readDate(value.(string), dateFormats)
	got, ok := readDate(text, formats)
	if !ok {
		return false, "want " + value.(string) + ", got no date in a known format: " + quote(text), nil
	}
	if reason := a.differ(want, got); reason != "" {
		return false, "want " + value.(string) + ", got " + quote(text) + reason, nil
	}
	return true, "", nil
}

// differ says why two dates are not the same; " " where there is nothing to add.
func (a *dateArgs) differ(want, got date) string {
	if a.Same == "day" || a.Same == "" && !want.format.time {
		if want.Format(time.DateOnly) != got.Format(time.DateOnly) {
			return ", another day"
		}
		return ""
	}
	switch {
	case !got.format.time:
		return ", which has no time"
	case want.format.zone != got.format.zone:
		return ", and only one of them names a zone"
	case !want.Equal(got.Time):
		return ", another time"
	}
	return ""
}

// date is a point in time with the format it was written in.
type date struct {
	time.Time
	format dateFormat
}

func readDate(text string, formats []dateFormat) (date, bool) {
	text = strings.Join(strings.Fields(text), " ")
	for _, format := range formats {
		if t, err := time.Parse(format.layout, text); err == nil {
			return date{t, format}, true
		}
	}
	return date{}, false
}

// dateFormat is a form of dates, written as D.M.YYYY.
type dateFormat struct {
	text       string
	layout     string // Go's
	time, zone bool   // it has such
}

// dateFormats are those that are known without being named: no two of them can read
// one text as two dates, which is why none has only numbers with the year last.
var dateFormats = mustFormats(
	"YYYY-MM-DD", "YYYY/MM/DD", "YYYYMMDD",
	"YYYY-MM-DDThh:mm:ssZ", "YYYY-MM-DDThh:mmZ", "YYYY-MM-DDThh:mm:ss", "YYYY-MM-DDThh:mm",
	"YYYY-MM-DD hh:mm:ssZ", "YYYY-MM-DD hh:mm:ss", "YYYY-MM-DD hh:mm",
	"D MMMM YYYY", "D MMM YYYY", "MMMM D, YYYY", "MMM D, YYYY", "MMMM D YYYY", "MMM D YYYY",
	"WWWW, D MMMM YYYY", "WWWW, MMMM D, YYYY", "WWW, D MMM YYYY", "WWW, D MMM YYYY hh:mm:ss ZZ",
)

func knownFormats() string {
	texts := make([]string, len(dateFormats))
	for i, format := range dateFormats {
		texts[i] = format.text
	}
	return strings.Join(texts, " · ")
}

// dateWords are the words of a format, longest first, with Go's for the same.
var dateWords = []struct{ word, layout string }{
	{"YYYY", "2006"}, {"MMMM", "January"}, {"MMM", "Jan"}, {"MM", "01"}, {"M", "1"}, {"DD", "02"}, {"D", "2"},
	{"WWWW", "Monday"}, {"WWW", "Mon"}, {"hh", "15"}, {"mm", "04"}, {"ss", "05"}, {"ZZ", "-0700"}, {"Z", "Z07:00"}, {"T", "T"},
}

// UnmarshalNode reads a format. Year, month and day must be in it, and letters that
// are no word of it are refused.
func (f *dateFormat) UnmarshalNode(n strictyaml.Node) error {
	parsed, ok := parseFormat(n.Text())
	if n.Kind() != strictyaml.String || !ok {
		return n.Mismatch("a format of dates").
			WithHint("write it with YYYY, MM or M, DD or D, MMMM (January) or MMM (Jan), WWWW (Monday) or WWW, hh, mm, ss, Z (Z or +01:00) or ZZ (+0100): D.M.YYYY")
	}
	*f = parsed
	return nil
}

// MarshalJSON writes the format as it was written.
func (f dateFormat) MarshalJSON() ([]byte, error) { return json.Marshal(f.text) }

func parseFormat(text string) (dateFormat, bool) {
	f := dateFormat{text: text}
	seen := map[byte]bool{}
	var layout strings.Builder
scan:
	for rest := text; rest != ""; {
		for _, w := range dateWords {
			if after, found := strings.CutPrefix(rest, w.word); found {
				if seen[w.word[0]] {
					return f, false
				}
				seen[w.word[0]] = true
				layout.WriteString(w.layout)
				rest = after
				continue scan
			}
		}
		if strings.IndexByte(" .,/-:", rest[0]) < 0 {
			return f, false
		}
		layout.WriteByte(rest[0])
		rest = rest[1:]
	}
	f.layout, f.time, f.zone = layout.String(), seen['h'], seen['Z']
	return f, seen['Y'] && seen['M'] && seen['D'] && (!seen['m'] || seen['h']) && (!seen['s'] || seen['m']) && (!seen['Z'] || seen['h'])
}

func mustFormats(texts ...string) []dateFormat {
	formats := make([]dateFormat, len(texts))
	for i, text := range texts {
		format, ok := parseFormat(text)
		if !ok {
			panic("no format of dates: " + text)
		}
		formats[i] = format
	}
	return formats
}
