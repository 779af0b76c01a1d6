// The one function of Node 22 that the library cannot do without.

Promise.withResolvers ??= function withResolvers() {
  let [resolve, reject] = []
  const promise = new this((resolved, rejected) => {
    resolve = resolved
    reject = rejected
  })
  return { promise, resolve, reject }
}
