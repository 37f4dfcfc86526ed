/** For how long a proof for content counts, seconds. */
export const PROOF_SECONDS = 600;

/** What is signed to read content (EIP-712): the peer id that asks, what it asks for, and until when the signature counts. */
export const CONTENT_REQUEST_TYPES = {
  ContentRequest: [
    { name: "peer", type: "string" },
    { name: "content", type: "string" },
    { name: "until", type: "uint64" },
  ],
};
