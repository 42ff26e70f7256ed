package redact

import (
	"net/netip"
	"strings"
	"unicode"
)

// looksRandom tells a secret from a word that stands where one would: it has a digit
// among its letters, or a sign that no name has, or is longer than words are. What a template fills in is none.
func looksRandom(text string, from, to int) (string, int, bool) {
	value := strings.TrimRight(text[from:to], ".?:")
	to = from + len(value)
	letter, odd := false, false
	for _, r := range value {
		letter = letter || unicode.IsLetter(r)
		odd = odd || unicode.IsDigit(r) || strings.ContainsRune("!@#$%^&*+=~", r)
	}
	template := strings.HasPrefix(value, "$") || strings.HasPrefix(value, "{") || strings.HasPrefix(value, "[") || strings.Trim(value, "*x.-_") == ""
	odd = odd || len(value) >= 20 && !strings.ContainsAny(value, ".(/")
	return value, to, odd && len(value) >= 6 && !template && !dated(value) && (letter || len(value) >= 8)
}

// anEmail compares without upper and lower case.
func anEmail(text string, from, to int) (string, int, bool) {
	return strings.ToLower(text[from:to]), to, true
}

// ibanLengths are the lengths of account numbers by country (ISO 13616).
var ibanLengths = map[string]int{
	"AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24,
	"DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28,
	"HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20,
	"LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
	"QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29,
	"VA": 22, "VG": 24, "XK": 20,
}

// anIBAN has the length of its country and the remainder 1 (ISO 7064, MOD 97-10).
func anIBAN(text string, from, to int) (string, int, bool) {
	country := strings.ToUpper(text[from : from+2])
	length := ibanLengths[country]
	value, end := compact(text, from, to, length)
	if length == 0 || len(value) != length || wordy(after(text, end)) {
		return "", to, false
	}
	value = strings.ToUpper(value)
	rest := 0
	for _, r := range value[4:] + value[:4] {
		if r >= 'A' {
			rest = (rest*100 + int(r-'A') + 10) % 97
		} else {
			rest = (rest*10 + int(r-'0')) % 97
		}
	}
	return value, end, rest == 1
}

// compact takes so many characters of a text, without the separators between them.
func compact(text string, from, to, length int) (value string, end int) {
	var b strings.Builder
	for end = from; end < to && b.Len() < length; end++ {
		if c := text[end]; c != ' ' && c != '-' {
			b.WriteByte(c)
		}
	}
	return b.String(), end
}

// aCard has the beginning and the length of a payment card's network, and the check
// digit of Luhn (ISO/IEC 7812-1).
func aCard(text string, from, to int) (string, int, bool) {
	value, end := compact(text, from, to, 19)
	if before(text, from) == '.' || before(text, from) == '-' || before(text, from) == '+' || !ofNetwork(value) {
		return "", to, false
	}
	sum := 0
	for i := range len(value) {
		digit := int(value[len(value)-1-i] - '0')
		if i%2 == 1 {
			if digit *= 2; digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return value, end, sum%10 == 0
}

// ofNetwork goes by the first digits and the length.
func ofNetwork(card string) bool {
	between := func(digits int, from, to string) bool { return card[:digits] >= from && card[:digits] <= to }
	switch len(card) {
	case 13:
		return card[0] == '4'
	case 14:
		return between(3, "300", "305") || between(2, "36", "36") || between(2, "38", "39")
	case 15:
		return between(2, "34", "34") || between(2, "37", "37")
	case 16:
		return card[0] == '4' || between(2, "51", "55") || between(4, "2221", "2720") || between(4, "6011", "6011") || between(2, "65", "65") ||
			between(3, "644", "649") || between(4, "3528", "3589") || between(2, "62", "62")
	case 19:
		return card[0] == '4' || between(2, "62", "62")
	}
	return false
}

// anIPv4 is no number of a version or a chapter, and leads to somebody: not to the machine itself.
func anIPv4(text string, from, to int) (string, int, bool) {
	address, err := netip.ParseAddr(text[from:to])
	chapter := to-from == len("1.2.3.4")
	around := before(text, from) == '.' || before(text, from) == '-' || after(text, to) == '.' && unicode.IsDigit(after(text, to+1)) || after(text, to) == '-'
	return text[from:to], to, err == nil && !chapter && !around && !nobody(address) && !versioned(text[:from])
}

// anIPv6 is no time of day, and leads to somebody.
func anIPv6(text string, from, to int) (string, int, bool) {
	if wordy(before(text, from)) || before(text, from) == ':' || wordy(after(text, to)) {
		return "", to, false
	}
	first, _, _ := strings.Cut(text[from:to], ":") // a::b is more often code
	address, err := netip.ParseAddr(text[from:to])
	return address.String(), to, err == nil && len(first) >= 3 && !nobody(address)
}

func nobody(a netip.Addr) bool {
	return a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// versioned reports whether a text ends so that a version number follows.
func versioned(text string) bool {
	text = strings.ToLower(strings.TrimRight(text, " :="))
	for _, word := range []string{"version", "release", "firmware", "build", "update", "v", "ver."} {
		if strings.HasSuffix(text, word) {
			return true
		}
	}
	return false
}

// aPhone has so many digits, at the least and at the most, and is no date and no part of
// a longer number.
func aPhone(least, most int) func(text string, from, to int) (string, int, bool) {
	return func(text string, from, to int) (string, int, bool) {
		var digits strings.Builder
		for _, c := range text[from:to] {
			if unicode.IsDigit(c) {
				digits.WriteRune(c)
			}
		}
		n := digits.Len()
		if from > 1 && text[from] == '0' && text[from-1] == ' ' && unicode.IsDigit(before(text, from-1)) {
			return "", to, false // groups of a longer number
		}
		joined := wordy(before(text, from)) || wordy(after(text, to)) || before(text, from) == '-' || before(text, from) == '#' || before(text, from) == '/' ||
			after(text, to) == '-' && unicode.IsDigit(after(text, to+1)) || strings.ContainsRune("$€£%", before(text, from)) && before(text, from) != 0
		return digits.String(), to, n >= least && n <= most && !joined && !dated(text[from:to])
	}
}

// dated tells a day, or a day and a time, from a number.
func dated(value string) bool {
	fields := strings.FieldsFunc(value, func(r rune) bool { return !unicode.IsDigit(r) })
	if len(fields) < 3 || len(fields[0]) == 3 {
		return false
	}
	year := func(s string) bool { return len(s) == 4 && (strings.HasPrefix(s, "19") || strings.HasPrefix(s, "20")) }
	small := func(s, most string) bool { return len(s) <= 2 && (len(s) < 2 || s <= most) }
	return year(fields[0]) && small(fields[1], "12") && small(fields[2], "31") || year(fields[2]) && small(fields[0], "31") && small(fields[1], "31")
}

// unnumbered refuses what stands after a word for another number: an order is no phone.
func unnumbered(holds func(string, int, int) (string, int, bool)) func(string, int, int) (string, int, bool) {
	return func(text string, from, to int) (string, int, bool) {
		words := strings.FieldsFunc(strings.ToLower(text[max(0, from-40):from]), func(r rune) bool { return !unicode.IsLetter(r) })
		if len(words) > 0 && otherNumbers[words[len(words)-1]] {
			return "", to, false
		}
		return holds(text, from, to)
	}
}

// otherNumbers are words that say what the number behind them is.
var otherNumbers = map[string]bool{
	"order": true, "invoice": true, "sku": true, "ticket": true, "part": true, "ref": true, "reference": true, "id": true, "no": true, "nr": true, "case": true,
	"customer": true, "article": true, "serial": true, "tracking": true, "isbn": true, "ean": true, "version": true, "model": true, "item": true, "product": true,
	"rechnung": true, "bestellung": true, "auftrag": true, "vorgang": true, "kunde": true, "kundennummer": true, "rechnungsnummer": true, "bestellnummer": true,
	"artikel": true, "artikelnummer": true, "sendung": true, "seriennummer": true, "aktenzeichen": true,
}

// anSSN has no part that is never given out.
func anSSN(text string, from, to int) (string, int, bool) {
	value := text[from:to]
	never := value[:3] == "000" || value[:3] == "666" || value[4:6] == "00" || value[7:] == "0000"
	joined := before(text, from) == '-' || after(text, to) == '-'
	return unnumbered(func(string, int, int) (string, int, bool) { return value, to, !never && !joined })(text, from, to)
}
