package crashes_test

import (
	"context"
	"fmt"
	"slices"
)

// An interruption is the task of doing one verb of the scene and being killed in it.
type interruption struct {
	Verb   string
	Scene  scene
	At     int  // after how many statements
	Before bool // the next one is a COMMIT, and has been called for
	Mutant mutant
}

func (i *interruption) run(d database) error {
	executed := 0
	hooks := i.Mutant.hooks(hooks{
		before: func(string) {
			if i.Before && executed == i.At {
				dieNow()
			}
		},
		after: func(string) {
			executed++
			if !i.Before && executed == i.At {
				dieNow()
			}
		},
	})
	index := slices.IndexFunc(verbs(), func(v verb) bool { return v.name == i.Verb })
	err := d.do(hooks, verbs()[index], i.Scene, i.Verb)
	fmt.Println("survived")
	return err
}

// do does a verb through hooks, with the randomness of a name.
func (d database) do(hooks *hooks, v verb, s scene, name string) error {
	handle, err := d.through(hooks)
	if err != nil {
		return err
	}
	defer handle.Close()
	db := d.on(handle)
	defer db.Close()
	do, err := newServices(db, later(), reproducible(name))
	if err != nil {
		return err
	}
	return v.do(context.Background(), do, s)
}
