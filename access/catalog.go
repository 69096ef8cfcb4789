package access

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"
)

// A Definition says what one permission means.
type Definition struct {
	Permission Permission // exactly one bit, of 0 to 62; never changed or given to another permission
	Key        string     // for programs: lower-case ASCII letters, digits, _ and -; never changed
	Label      string     // for people
	// Labels are the label in other languages than Label's, by locale: BCP 47 tags such as "de" or "pt-BR". Mails in these
	// languages use them.
	Labels  map[string]string
	Help    string     // what somebody who holds it can do
	Warning string     // what to think of before granting it; empty if there is nothing
	Group   string     // under which pages show it
	Needs   Permission // what makes no sense to hold this without

	Sensitive      bool // checked in the database, not in a cache, unless the host says otherwise
	WhileSuspended bool // works in a suspended account too
}

// A Preset is a named set of permissions, copied into a membership when somebody chooses it.
type Preset struct {
	Key         string
	Label       string
	Help        string
	Permissions Permission
}

// KeyAll is the key of All, in every catalog.
const KeyAll = "all"

// A Catalog gives the bits of a Permission their meaning. It never changes: one catalog may be shared by everybody.
type Catalog struct {
	definitions []Definition
	presets     []Preset
	groups      []string
	bits        map[string]Permission

	known, sensitive, whileSuspended Permission
}

// NewCatalog returns the catalog of these definitions, in this order, and presets. It returns an error of kind
// ErrInvalid if there is no definition, if one isn't a single bit of 0 to 62, if two share a bit or a key, if a key
// or label can't be one, if a permission needs what isn't defined or, in the end, itself, or if a preset is empty,
// holds unknown bits or lacks what its permissions need. The key "all" means All and is no permission's.
func NewCatalog(definitions []Definition, presets []Preset) (*Catalog, error) {
	c := &Catalog{definitions: cloned(definitions), presets: slices.Clone(presets), bits: map[string]Permission{}}
	if len(definitions) == 0 {
		return nil, Invalid("catalog", "catalog.empty", "defines no permission")
	}
	for _, d := range definitions {
		if err := c.define(d); err != nil {
			return nil, err
		}
	}
	if err := c.checkNeeds(); err != nil {
		return nil, err
	}
	if err := c.checkPresets(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Catalog) define(d Definition) error {
	switch {
	case bits.OnesCount64(uint64(d.Permission)) != 1 || d.Permission > All:
		return Invalid("catalog", "catalog.bit", fmt.Sprintf("gives %q other than one bit of 0 to 62", d.Key))
	case c.known.Has(d.Permission):
		return Invalid("catalog", "catalog.bit", fmt.Sprintf("gives %q a bit that is taken", d.Key))
	case !isKey(d.Key) || d.Key == KeyAll:
		return Invalid("catalog", "catalog.key", fmt.Sprintf("has %q as a key", d.Key))
	case c.bits[d.Key] != 0:
		return Invalid("catalog", "catalog.key", fmt.Sprintf("has the key %q twice", d.Key))
	}
	if err := CheckLabels(d.Label, d.Labels); err != nil {
		return err
	}
	c.bits[d.Key] = d.Permission
	c.known |= d.Permission
	if d.Sensitive {
		c.sensitive |= d.Permission
	}
	if d.WhileSuspended {
		c.whileSuspended |= d.Permission
	}
	if !slices.Contains(c.groups, d.Group) {
		c.groups = append(c.groups, d.Group)
	}
	return nil
}

func (c *Catalog) checkNeeds() error {
	for _, d := range c.definitions {
		if d.Needs&^c.known != 0 {
			return Invalid("catalog", "catalog.needs", fmt.Sprintf("lets %q need what isn't defined", d.Key))
		}
		if c.Complete(d.Needs).Has(d.Permission) {
			return Invalid("catalog", "catalog.needs", fmt.Sprintf("lets %q need itself", d.Key))
		}
	}
	return nil
}

func (c *Catalog) checkPresets() error {
	seen := map[string]bool{}
	for _, p := range c.presets {
		if !isKey(p.Key) || seen[p.Key] {
			return Invalid("catalog", "catalog.preset", fmt.Sprintf("has the preset key %q twice, or it can't be one", p.Key))
		}
		seen[p.Key] = true
		if err := CheckName("label", p.Label); err != nil {
			return err
		}
		if err := c.Check(p.Permissions); err != nil {
			return Invalid("catalog", "catalog.preset", fmt.Sprintf("has a preset %q whose permissions are empty, unknown or incomplete", p.Key))
		}
	}
	return nil
}

func isKey(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	})
}

// Definitions returns the permissions in the order of the catalog. The caller may change the slice and what is in it.
func (c *Catalog) Definitions() []Definition { return cloned(c.definitions) }

func cloned(definitions []Definition) []Definition {
	definitions = slices.Clone(definitions)
	for i, d := range definitions {
		definitions[i].Labels = maps.Clone(d.Labels)
	}
	return definitions
}

// Presets returns the presets in the order of the catalog. The caller may change the slice.
func (c *Catalog) Presets() []Preset { return slices.Clone(c.presets) }

// Groups returns the groups in the order of their first permissions. The caller may change the slice.
func (c *Catalog) Groups() []string { return slices.Clone(c.groups) }

// Known returns every permission of the catalog. It is what "all" means today; All is what it means for ever.
func (c *Catalog) Known() Permission { return c.known }

// Sensitive returns the permissions that are checked in the database.
func (c *Catalog) Sensitive() Permission { return c.sensitive }

// WhileSuspended returns the permissions that work in a suspended account.
func (c *Catalog) WhileSuspended() Permission { return c.whileSuspended }

// Bit returns the permission with a key, 0 if there is none.
func (c *Catalog) Bit(key string) Permission { return c.bits[key] }

// Parse returns the set of the permissions with these keys; "all" is All. No key is the empty set. A key that the
// catalog doesn't have is an error of kind ErrInvalid with code "permissions.unknown". Check says whether the set may
// be granted.
func (c *Catalog) Parse(keys ...string) (Permission, error) {
	var p Permission
	for _, key := range keys {
		bit := c.bits[key]
		if key == KeyAll {
			bit = All
		}
		if bit == 0 {
			return 0, Invalid("permissions", "permissions.unknown", "hold a key that the catalog doesn't have")
		}
		p |= bit
	}
	return p, nil
}

// Keys returns the keys of a set in the order of the catalog, "all" alone for All. Bits that the catalog doesn't have
// are left out. For sets that Check passes it is the reverse of Parse.
func (c *Catalog) Keys(p Permission) []string {
	if p == All {
		return []string{KeyAll}
	}
	var keys []string
	for _, d := range c.definitions {
		if p.Has(d.Permission) {
			keys = append(keys, d.Key)
		}
	}
	return keys
}

// Check returns an error of kind ErrInvalid if a set may not be granted: the empty one ("permissions.empty"), one
// with bits that the catalog doesn't have and that isn't All ("permissions.unknown"), one that lacks what a
// permission in it needs ("permissions.needs", with Params "key" and "needs").
func (c *Catalog) Check(p Permission) error {
	switch {
	case p == All:
		return nil
	case p == 0:
		return Invalid("permissions", "permissions.empty", "are empty")
	case p&^c.known != 0:
		return Invalid("permissions", "permissions.unknown", "hold a bit that the catalog doesn't have")
	}
	for _, d := range c.definitions {
		if missing := d.Needs &^ p; p.Has(d.Permission) && missing != 0 {
			needs := c.Keys(missing)[0]
			return &Error{Kind: ErrInvalid, Code: "permissions.needs", Field: "permissions",
				Reason: "hold " + d.Key + ", which needs " + needs, Params: map[string]string{"key": d.Key, "needs": needs}}
		}
	}
	return nil
}

// Complete returns p with everything added that its permissions need, and what that needs in turn. Pages that use it
// say what was added: Complete(p) &^ p.
func (c *Catalog) Complete(p Permission) Permission {
	for {
		before := p
		for _, d := range c.definitions {
			if p.Has(d.Permission) {
				p |= d.Needs
			}
		}
		if p == before {
			return p
		}
	}
}

// Labels returns the labels of the permissions in p, in the order of the catalog. All is every label of today.
func (c *Catalog) Labels(p Permission) []string {
	var labels []string
	for _, d := range c.definitions {
		if p.Has(d.Permission) {
			labels = append(labels, d.Label)
		}
	}
	return labels
}

// LabelsIn returns the labels of the permissions in p in a language, in the order of the catalog: for "de-AT" those of
// "de-AT", or else of "de", or else Label.
func (c *Catalog) LabelsIn(locale string, p Permission) []string {
	var labels []string
	for _, d := range c.definitions {
		if p.Has(d.Permission) {
			labels = append(labels, LabelIn(locale, d.Label, d.Labels))
		}
	}
	return labels
}
