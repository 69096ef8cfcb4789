package access

import "strings"

// LabelIn returns the one of labels, by locale, for a locale or for the nearest that is more general; standard if
// there is none.
func LabelIn(locale, standard string, labels map[string]string) string {
	for locale != "" {
		if label, found := labels[locale]; found {
			return label
		}
		locale = locale[:max(0, strings.LastIndexByte(locale, '-'))]
	}
	return standard
}

// CheckLabels returns an error of kind ErrInvalid if a label can't be one, or one of those by locale, or if a locale
// can't be one.
func CheckLabels(label string, labels map[string]string) error {
	if err := CheckName("label", label); err != nil {
		return err
	}
	for locale, label := range labels {
		if locale == "" {
			return Invalid("labels", "locale.text", "hold one for no locale")
		}
		if err := CheckLocale("labels", locale); err != nil {
			return err
		}
		if err := CheckName("labels", label); err != nil {
			return err
		}
	}
	return nil
}
