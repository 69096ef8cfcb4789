package contact

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	"github.com/rosterkit/roster/access"
)

// A CategoryDefinition says what one category means.
type CategoryDefinition struct {
	Category Category // exactly one bit, of 0 to 62; never changed or given to another category
	Key      string   // for programs: lower-case ASCII letters, digits, _ and -; never changed
	Label    string   // for people
	// Labels are the label in other languages than Label's, by locale: BCP 47 tags such as "de" or "pt-BR". Mails in these
	// languages use them.
	Labels map[string]string
	Help   string // its one meaning: which mails are of this category, and no others
	// Reveals is the permission whose matters these mails tell of; zero for none. Who switches the category on for a
	// contact holds it, and a member receives the mails only while holding it.
	Reveals access.Permission
	// Required says that somebody must receive these mails: a change by which the last recipient would go is refused,
	// and when there is none for another reason, the owner receives them.
	Required bool
}

// Categories give the bits of a Category their meaning. They never change: one set may be shared by everybody.
type Categories struct {
	definitions []CategoryDefinition
	bits        map[string]Category
	known       Category
	reveals     access.Permission
}

// NewCategories returns the set of these definitions, in this order. It returns an error of kind access.ErrInvalid if
// there is none, if one isn't a single bit of 0 to 62, if two share a bit or a key, if a key, a label or a meaning
// can't be one, or if one reveals bit 63. The key "all" means All and is no category's.
func NewCategories(definitions []CategoryDefinition) (*Categories, error) {
	s := &Categories{definitions: cloned(definitions), bits: map[string]Category{}}
	if len(definitions) == 0 {
		return nil, access.Invalid("categories", "categories.empty", "define no category")
	}
	for _, d := range definitions {
		if err := s.define(d); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Categories) define(d CategoryDefinition) error {
	switch {
	case bits.OnesCount64(uint64(d.Category)) != 1 || d.Category > All:
		return access.Invalid("categories", "categories.bit", fmt.Sprintf("give %q other than one bit of 0 to 62", d.Key))
	case s.known.Has(d.Category):
		return access.Invalid("categories", "categories.bit", fmt.Sprintf("give %q a bit that is taken", d.Key))
	case !isKey(d.Key) || d.Key == access.KeyAll:
		return access.Invalid("categories", "categories.key", fmt.Sprintf("have %q as a key", d.Key))
	case s.bits[d.Key] != 0:
		return access.Invalid("categories", "categories.key", fmt.Sprintf("have the key %q twice", d.Key))
	case d.Reveals > access.All:
		return access.Invalid("categories", "categories.reveals", fmt.Sprintf("let %q reveal bit 63, which is never used", d.Key))
	case strings.TrimSpace(d.Help) == "":
		return access.Invalid("categories", "categories.help", fmt.Sprintf("give %q no meaning", d.Key))
	}
	if err := access.CheckLabels(d.Label, d.Labels); err != nil {
		return err
	}
	s.bits[d.Key] = d.Category
	s.known |= d.Category
	s.reveals |= d.Reveals
	return nil
}

func isKey(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '_' || r == '-')
	})
}

// Definitions returns the categories in their order. The caller may change the slice and what is in it.
func (s *Categories) Definitions() []CategoryDefinition { return cloned(s.definitions) }

func cloned(definitions []CategoryDefinition) []CategoryDefinition {
	definitions = slices.Clone(definitions)
	for i, d := range definitions {
		definitions[i].Labels = maps.Clone(d.Labels)
	}
	return definitions
}

// Known returns every category of the set. It is what "all" means today; All is what it means for ever.
func (s *Categories) Known() Category { return s.known }

// Bit returns the category with a key, 0 if there is none.
func (s *Categories) Bit(key string) Category { return s.bits[key] }

// Parse returns the union of the categories with these keys; "all" is All. No key is the empty set. A key that the set
// doesn't have is an error of kind access.ErrInvalid with code "category.unknown".
func (s *Categories) Parse(keys ...string) (Category, error) {
	var c Category
	for _, key := range keys {
		bit := s.bits[key]
		if key == access.KeyAll {
			bit = All
		}
		if bit == 0 {
			return 0, access.Invalid("categories", "category.unknown", "hold a key that is not defined")
		}
		c |= bit
	}
	return c, nil
}

// Keys returns the keys of the categories in c in the order of the set, "all" alone for All. Bits that aren't defined
// are left out. For what Check passes it is the reverse of Parse.
func (s *Categories) Keys(c Category) []string {
	if c == All {
		return []string{access.KeyAll}
	}
	var keys []string
	for _, d := range s.definitions {
		if c.Has(d.Category) {
			keys = append(keys, d.Key)
		}
	}
	return keys
}

// Labels returns the labels of the categories in c in the order of the set. All is every label of today.
func (s *Categories) Labels(c Category) []string {
	var labels []string
	for _, d := range s.definitions {
		if c.Has(d.Category) {
			labels = append(labels, d.Label)
		}
	}
	return labels
}

// LabelsIn returns the labels of the categories in c in a language, as access.Catalog.LabelsIn does.
func (s *Categories) LabelsIn(locale string, c Category) []string {
	var labels []string
	for _, d := range s.definitions {
		if c.Has(d.Category) {
			labels = append(labels, access.LabelIn(locale, d.Label, d.Labels))
		}
	}
	return labels
}

// Check returns an error of kind access.ErrInvalid, with code "category.unknown", if c holds a bit that isn't defined
// and isn't All. The empty set may be chosen: it is no mail.
func (s *Categories) Check(c Category) error {
	if c != All && c&^s.known != 0 {
		return access.Invalid("categories", "category.unknown", "hold a bit that is not defined")
	}
	return nil
}

// Reveals returns the permissions that somebody needs to be told everything in c. For a set with bits that aren't
// defined, such as All, that is access.All: what comes tomorrow may reveal anything.
func (s *Categories) Reveals(c Category) access.Permission {
	if c&^s.known != 0 {
		return access.All
	}
	var p access.Permission
	for _, d := range s.definitions {
		if c.Has(d.Category) {
			p |= d.Reveals
		}
	}
	return p
}

// in returns the definitions of the categories in c, in the order of the set.
func (s *Categories) in(c Category) []CategoryDefinition {
	var definitions []CategoryDefinition
	for _, d := range s.definitions {
		if c.Has(d.Category) {
			definitions = append(definitions, d)
		}
	}
	return definitions
}

// one returns the definition of exactly one category.
func (s *Categories) one(c Category) (CategoryDefinition, error) {
	for _, d := range s.definitions {
		if d.Category == c {
			return d, nil
		}
	}
	return CategoryDefinition{}, access.Invalid("category", "category.unknown", "is not one that is defined")
}

// checkWithin returns an error of kind access.ErrDenied, with code "category.beyond", for the first category of c that
// reveals more than somebody with these permissions may see.
func (s *Categories) checkWithin(c Category, held access.Permission) error {
	for _, d := range s.definitions {
		if c.Has(d.Category) && d.Reveals&^held != 0 {
			return beyond(d.Key)
		}
	}
	if c&^s.known != 0 && held != access.All {
		return beyond(access.KeyAll)
	}
	return nil
}

func beyond(key string) error {
	return &access.Error{Kind: access.ErrDenied, Code: "category.beyond", Field: "categories",
		Reason: "hold " + key + ", which reveals more than the permissions allow", Params: map[string]string{"category": key}}
}
