package access

import (
	"context"
	"slices"

	"github.com/rosterkit/roster/notify"
)

// brand returns the brand of an account, checked.
func (c Config) brand(ctx context.Context, account Account) (notify.Brand, error) {
	if c.Brand == nil {
		return notify.Brand{}, nil
	}
	brand, err := c.Brand(ctx, account)
	if err != nil {
		return notify.Brand{}, err
	}
	return brand, c.checkBrand(brand)
}

// checkBrand returns an error of kind ErrInvalid for a brand that can't be one, or that has a base URL or templates
// which the configuration doesn't name.
func (c Config) checkBrand(brand notify.Brand) error {
	if err := brand.Check(); err != nil {
		return Invalid("brand", "brand.invalid", "can't be used: "+err.Error())
	}
	if brand.BaseURL != "" && !slices.Contains(c.BaseURLs, brand.BaseURL) {
		return Invalid("brand", "brand.base", "has a base URL that is not one of Config.BaseURLs")
	}
	if _, found := c.BrandTemplates[brand.Templates]; brand.Templates != "" && !found {
		return Invalid("brand", "brand.templates", "has templates that are not in Config.BrandTemplates")
	}
	return nil
}

// checkMails returns an error of kind ErrInvalid for what the configuration says about mails.
func (c Config) checkMails() error {
	if err := CheckLocale("locale", c.Locale); err != nil {
		return err
	}
	for _, base := range c.BaseURLs {
		if err := notify.CheckBaseURL(base); err != nil {
			return Invalid("base_urls", "link.base", "hold one that can't be used: "+err.Error())
		}
	}
	return nil
}
