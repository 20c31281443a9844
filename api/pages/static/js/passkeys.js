// What a browser's own words for passkeys need: bytes where our answers have base64url, and the other way round.

const bytes = (/** @type {string} */ text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (sign) => sign.charCodeAt(0));

const text = (/** @type {ArrayBuffer} */ buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

export const known = () => isSecureContext && "PublicKeyCredential" in globalThis;

// A passkey made by these options, as our route takes it.
export async function made(/** @type {any} */ options) {
  const publicKey = {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: options.excludeCredentials.map((/** @type {any} */ one) => ({ ...one, id: bytes(one.id) })),
  };
  const { id, rawId, type, response } = /** @type {any} */ (await navigator.credentials.create({ publicKey }));
  return { id, rawId: text(rawId), type, response: { clientDataJSON: text(response.clientDataJSON), attestationObject: text(response.attestationObject) } };
}

// The answer of a passkey that the person chose.
export async function used(/** @type {any} */ options) {
  const publicKey = { ...options, challenge: bytes(options.challenge), allowCredentials: [] };
  const { id, rawId, type, response } = /** @type {any} */ (await navigator.credentials.get({ publicKey }));
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return {
    id,
    rawId: text(rawId),
    type,
    response: {
      clientDataJSON: text(clientDataJSON),
      authenticatorData: text(authenticatorData),
      signature: text(signature),
      userHandle: userHandle ? text(userHandle) : null,
    },
  };
}

// A POST of JSON; what came, and its status (0: nobody answered).
export async function tell(/** @type {string} */ path, /** @type {any} */ body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }).catch(() => null);
  return { status: answer?.status ?? 0, told: await answer?.json().catch(() => null) };
}
