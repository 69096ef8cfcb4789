package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
)

// How a form chooses permissions.
const (
	modeAll    = "all"
	modeChoose = "choose"
)

// A permissionForm is "All Permissions" or "Choose Permissions", by preset or one by one.
type permissionForm struct {
	Mode        string
	MayGrantAll bool
	Preset      string // The key of the chosen preset; empty for a choice of one's own.
	Presets     []presetChoice
	Groups      []permissionGroup
	Problem     *fieldProblem
}

type presetChoice struct {
	access.Preset
	Allowed bool // The person holds all of it, and so may grant it.
}

type permissionGroup struct {
	Name    string
	Choices []permissionChoice
}

type permissionChoice struct {
	access.Definition
	Chosen  bool
	Allowed bool
	Needs   []string // Labels of what comes with it.
}

// newPermissionForm shows what is chosen to somebody who may grant what they hold.
func newPermissionForm(catalog *access.Catalog, chosen, held access.Permission) permissionForm {
	form := permissionForm{Mode: modeChoose, MayGrantAll: held.Has(access.All)}
	if chosen == access.All {
		form.Mode, chosen = modeAll, 0
	}
	for _, preset := range catalog.Presets() {
		if preset.Key != access.KeyAll {
			form.Presets = append(form.Presets, presetChoice{preset, held.Has(preset.Permissions)})
		}
	}
	definitions := catalog.Definitions()
	for _, name := range catalog.Groups() {
		group := permissionGroup{Name: name}
		for _, definition := range definitions {
			if definition.Group != name {
				continue
			}
			group.Choices = append(group.Choices, permissionChoice{
				Definition: definition,
				Chosen:     chosen.Has(definition.Permission),
				Allowed:    held.Has(definition.Permission),
				Needs:      catalog.Labels(definition.Needs),
			})
		}
		form.Groups = append(form.Groups, group)
	}
	return form
}

// chosenPermissions reads the form: the set, and what was added to it because something chosen
// needs it.
func chosenPermissions(catalog *access.Catalog, fields url.Values) (chosen, added access.Permission, err error) {
	if fields.Get("mode") == modeAll {
		return access.All, 0, nil
	}
	if key := fields.Get("preset"); key != "" {
		presets := catalog.Presets()
		index := slices.IndexFunc(presets, func(preset access.Preset) bool { return preset.Key == key })
		if index < 0 {
			return 0, 0, access.Invalid("permissions", "permissions.unknown", "hold a preset that isn't known")
		}
		return presets[index].Permissions, 0, nil
	}
	// "All" is chosen by the mode; among the boxes it is a key like any other that isn't there.
	if slices.Contains(fields["permission"], access.KeyAll) {
		return 0, 0, access.Invalid("permissions", "permissions.unknown", "hold a key that isn't known")
	}
	ticked, err := catalog.Parse(fields["permission"]...)
	if err != nil {
		return 0, 0, err
	}
	chosen = catalog.Complete(ticked)
	return chosen, chosen &^ ticked, catalog.Check(chosen)
}

// addedWords says what came along with a choice, or nothing.
func addedWords(catalog *access.Catalog, added access.Permission) string {
	if added == 0 {
		return ""
	}
	return " " + joinWords(quoted(catalog.Labels(added))) + " was added, because the rest needs it."
}

// summary names a set in a few words: all of it, the preset it equals, or the labels.
func summary(catalog *access.Catalog, p access.Permission) string {
	if p == access.All {
		return "All permissions"
	}
	for _, preset := range catalog.Presets() {
		if preset.Permissions == p {
			return preset.Label
		}
	}
	if p == 0 {
		return "No permissions"
	}
	return strings.Join(catalog.Labels(p), ", ")
}

func quoted(words []string) []string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = "“" + word + "”"
	}
	return out
}

// joinWords writes a list as a sentence does: a, b and c.
func joinWords(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " and " + words[last]
}
