package main

import (
	"fmt"
	"io"

	"github.com/rosterkit/roster/access"
)

// demoPassword is every demo login's.
const demoPassword = "harbour-demo"

// bakery is the demo account in which there is something of everything.
const bakery access.AccountID = "10001"

// demoLogins are the people of the demo data who can sign in.
var demoLogins = []struct{ id, address, name, about string }{
	{"olivia", "olivia@brightside.example", "Olivia Hart", "owner of Brightside Bakery"},
	{"sam", "sam@northlight.example", "Sam Rivera", "an agency's developer, in forty accounts"},
	{"marta", "marta@brightside.example", "Marta Silva", "trusted manager: everything but the profile"},
	{"leo", "leo@brightside.example", "Leo Fontaine", "all permissions, like a co-owner"},
	{"priya", "priya@ledgerly.example", "Priya Nair", "accounting, with another invite waiting"},
	{"tom", "tom@brightside.example", "Tom Becker", "domain manager"},
	{"nina", "nina@pixelworks.example", "Nina Kowalski", "developer, suspended"},
	{"eve", "eve@solo.example", "Eve Lone", "no account at all"},
}

func printLogins(out io.Writer) {
	fmt.Fprintf(out, "Demo logins, all with the password %q:\n", demoPassword)
	for _, login := range demoLogins {
		fmt.Fprintf(out, "  %-28s %s\n", login.address, login.about)
	}
}

// demoPerson is the login with an id.
func demoPerson(id string) person {
	for _, login := range demoLogins {
		if login.id == id {
			return person{ID: id, Address: demoAddress(login.address), Name: login.name, Verified: true,
				SecondFactor: id == "olivia" || id == "sam" || id == "leo"}
		}
	}
	panic("portal: no demo login " + id)
}

func demoAddress(text string) access.Address {
	address, err := access.ParseAddress(text)
	if err != nil {
		panic("portal: " + err.Error())
	}
	return address
}

// preset is what a preset grants.
func preset(catalog *access.Catalog, key string) access.Permission {
	for _, one := range catalog.Presets() {
		if one.Key == key {
			return one.Permissions
		}
	}
	panic("portal: no preset " + key)
}

// A customer is one of the agency's other accounts.
type customer struct {
	id           access.AccountID
	name, domain string
	owner        access.User
}

// customers are thirty-nine of them: with the bakery the agency has forty accounts.
func customers() []customer {
	places := []string{"Ashford", "Bramley", "Carlton", "Dunmore", "Elmwood", "Fairview", "Granton", "Hillcrest", "Ivybridge",
		"Kingsley", "Larkhill", "Milton", "Norwood"}
	trades := []string{"Dental Practice", "Cycle Works", "Garden Centre"}
	var all []customer
	for _, trade := range trades {
		for _, place := range places {
			number := 10002 + len(all)
			domain := fmt.Sprintf("customer%d.example", number)
			all = append(all, customer{
				id: access.AccountID(fmt.Sprint(number)), name: place + " " + trade, domain: domain,
				owner: access.User{ID: access.UserID(fmt.Sprintf("owner-%d", number)), Address: demoAddress("owner@" + domain),
					Verified: true, Name: "Owner of " + place + " " + trade},
			})
		}
	}
	return all
}
