package suite

import (
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/llmx-dev/llmx/internal/strictyaml"
)

// editTurns edits the golden answers of a conversation's turns.
func (g *goldenEdit) editTurns(f *goldenFile, text *yamlText, item strictyaml.Node, id string, talk TurnGoldens) {
	turns := item.Get("turns").Items()
	for _, number := range slices.Sorted(maps.Keys(talk)) {
		if number < 1 || number > len(turns) {
			g.problems.Add(item.Errorf("the case %s has no turn %d", id, number))
			continue
		}
		turn := turns[number-1]
		c := &goldenChange{place: turn.Place(), id: turnOf(id, number), after: talk[number]}
		g.changes = append(g.changes, c)
		g.edit(f, text, turn, c, false)
	}
}

func turnOf(id string, number int) string { return fmt.Sprintf("%s, turn %d", id, number) }

// placeTurns says where the turns stand in the edited file.
func (g *goldenEdit) placeTurns(id string, is strictyaml.Node) {
	for i, turn := range is.Get("turns").Items() {
		at := slices.IndexFunc(g.changes, func(c *goldenChange) bool { return c.id == turnOf(id, i+1) })
		if at >= 0 {
			g.changes[at].place = turn.Place()
		}
	}
}

// saysTurns reports whether a conversation is what it was, but for the golden answers of
// some turns, which are as they were asked.
func saysTurns(was, is strictyaml.Node, talk TurnGoldens) bool {
	before, after := was.Get("turns").Items(), is.Get("turns").Items()
	isTurns := func(key string) bool { return key == "turns" }
	if len(before) != len(after) || !sameFields(was, is, isTurns) {
		return false
	}
	isGolden := func(key string) bool { return key == "golden" }
	for i := range after {
		golden, wanted := talk[i+1]
		switch now := after[i].Get("golden"); {
		case !wanted && !same(before[i], after[i]):
			return false
		case wanted && (!sameFields(before[i], after[i], isGolden) || !now.Exists() || !reflect.DeepEqual(now.Value(), golden)):
			return false
		}
	}
	return true
}
