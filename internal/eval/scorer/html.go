package scorer

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// maxOpen bounds how deep elements may nest.
const maxOpen = 512

var (
	// void elements have no end tag.
	void = []string{"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
	// mayStayOpen are the elements whose end tag HTML lets one leave out.
	mayStayOpen = []string{
		"html", "head", "body", "p", "li", "dt", "dd", "option", "optgroup", "rp", "rt",
		"thead", "tbody", "tfoot", "tr", "td", "th", "colgroup", "caption",
	}
	// elements are those of the HTML Living Standard (§ 4, index of elements), and the
	// obsolete ones that browsers still know.
	elements = strings.Fields(`
		a abbr address area article aside audio b base bdi bdo blockquote body br button canvas caption cite code col colgroup
		data datalist dd del details dfn dialog div dl dt em embed fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head
		header hgroup hr html i iframe img input ins kbd label legend li link main map mark math menu meta meter nav noscript
		object ol optgroup option output p picture pre progress q rp rt ruby s samp script search section select slot small
		source span strong style sub summary sup svg table tbody td template textarea tfoot th thead time title tr track u ul
		var video wbr
		acronym applet basefont big center dir font frame frameset marquee nobr noembed noframes param plaintext rb rtc strike tt xmp`)
	// foreign elements have names of their own inside.
	foreign = []string{"svg", "math"}
)

// notHTML: text with at least one element, every element known to HTML (or with a
// hyphen in its name, or inside svg or math), closed, and closed in order; those whose
// end tag may be left out may stay open. A browser reads anything; this refuses what
// it would have to mend: unknown elements, end tags of nothing, elements that are not
// closed or overlap, a tag that the text ends in. Attributes, and which element may
// stand in which, are not looked at.
func notHTML(text string) string {
	tokens := html.NewTokenizer(strings.NewReader(text))
	d := htmlDocument{}
	for {
		kind := tokens.Next()
		raw := string(tokens.Raw()) // before TagName, which takes its name out of it
		why := ""
		switch kind {
		case html.ErrorToken:
			if err := tokens.Err(); !errors.Is(err, io.EOF) {
				return err.Error()
			}
			if raw != "" {
				return "the text ends in a tag: " + quote(raw)
			}
			return d.end(text)
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := tokens.TagName()
			why = d.start(string(name), kind == html.SelfClosingTagToken)
		case html.EndTagToken:
			name, _ := tokens.TagName()
			why = d.close(string(name))
		case html.CommentToken:
			if strings.HasPrefix(raw, "<!--") && !strings.HasSuffix(raw, "-->") {
				why = "a comment is not closed"
			}
		}
		if why != "" {
			return why
		}
	}
}

// htmlDocument is what has been read of one: the elements that are open, the
// innermost last, and how many there were.
type htmlDocument struct {
	open  []string
	count int
}

func (d *htmlDocument) start(tag string, selfClosing bool) string {
	d.count++
	inside := slices.Contains(foreign, tag) || slices.ContainsFunc(d.open, func(o string) bool { return slices.Contains(foreign, o) })
	if !inside && !slices.Contains(elements, tag) && !strings.Contains(tag, "-") {
		return "HTML has no element <" + cut(tag) + ">"
	}
	// The stroke of <div/> means nothing to HTML, but in svg and math it closes.
	if slices.Contains(void, tag) || selfClosing && inside {
		return ""
	}
	if d.open = append(d.open, tag); len(d.open) > maxOpen {
		return fmt.Sprintf("more than %d elements are open at once", maxOpen)
	}
	return ""
}

// close takes an element off those that are open, together with those inside it that
// may stay open.
func (d *htmlDocument) close(tag string) string {
	for i := len(d.open) - 1; i >= 0; i-- {
		if d.open[i] == tag {
			d.open = d.open[:i]
			return ""
		}
		if !slices.Contains(mayStayOpen, d.open[i]) {
			return "</" + cut(tag) + "> where <" + d.open[i] + "> is open"
		}
	}
	return "</" + cut(tag) + "> closes nothing"
}

func (d *htmlDocument) end(text string) string {
	for _, tag := range d.open {
		if !slices.Contains(mayStayOpen, tag) {
			return "<" + tag + "> is not closed"
		}
	}
	if d.count == 0 {
		return "it has no element: " + quote(text)
	}
	return ""
}
