package main

func Example() {
	main()
	// Output:
	// bob pays invoices: true
	// bob places orders: false
	// bob pays invoices after his removal: false
}
