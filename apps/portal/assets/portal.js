// What makes the portal's pages handier. All of them work without it.
