package main

import "context"

func Example() {
	if err := run(context.Background()); err != nil {
		panic(err)
	}
	// Output:
	// bob pays invoices: true
	// bob places orders: false
	// bob pays invoices after his removal: false
}
