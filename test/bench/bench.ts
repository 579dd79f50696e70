// x
export {}
