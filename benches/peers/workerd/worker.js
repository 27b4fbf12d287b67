export default {
  async fetch() {
    return new Response('{"hello": "world"}', { headers: { "Content-Type": "application/json" } });
  },
};
