package main

import (
	"errors"

	"github.com/rosterkit/roster/access"
	"github.com/rosterkit/roster/contact"
)

// A categoryChoice is a box to tick.
type categoryChoice struct {
	contact.CategoryDefinition
	Chosen  bool
	Allowed bool
	Note    string // what else there is to know about the choice
	Problem string // why it was refused
}

// categoryChoices lists the categories with what is chosen. Who lacks what a category reveals
// can't switch it on, and leaves it as it is.
func categoryChoices(categories *contact.Categories, chosen contact.Category,
	allowed func(access.Permission) bool) []categoryChoice {
	var choices []categoryChoice
	for _, definition := range categories.Definitions() {
		choice := categoryChoice{CategoryDefinition: definition, Chosen: chosen.Has(definition.Category)}
		may := definition.Reveals == 0 || allowed(definition.Reveals)
		choice.Allowed = choice.Chosen || may
		if !may {
			choice.Note = "Only for those who may see this in the portal."
		}
		choices = append(choices, choice)
	}
	return choices
}

// refuseChoice puts a refusal that is about one category next to it, and returns what is left to say about the form.
func refuseChoice(choices []categoryChoice, problem *fieldProblem, err error) *fieldProblem {
	detail, ok := errors.AsType[*access.Error](err)
	if !ok {
		return problem
	}
	for i, choice := range choices {
		if choice.Key == detail.Params["category"] {
			choices[i].Problem = problem.Message
			return &fieldProblem{"category-" + choice.Key, "Nothing is saved yet. Look at “" + choice.Label + "”."}
		}
	}
	return problem
}
