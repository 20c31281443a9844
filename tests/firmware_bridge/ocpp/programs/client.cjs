// A charge point of the package ocpp-rpc, which judges every message of ours by its own schemas.
//   node client.cjs ADDRESS VERSION [PASSWORD] [CA CERTIFICATE KEY]      (`-` where there is none)
// Prints each answer as a line of JSON; then waits for calls until stdin ends, and prints them, too.
const fs = require("node:fs");
const { RPCClient } = require("ocpp-rpc");
const [address, version, password, ca, certificate, key] = process.argv.slice(2).map((word) => (word === "-" ? undefined : word));
const say = (what, told) => console.log(JSON.stringify([what, told]));
const AT = new Date().toISOString();

async function life16(pile) {
  const steps = [
    ["BootNotification", { chargePointVendor: "ocpp-rpc", chargePointModel: "2" }],
    ["StatusNotification", { connectorId: 1, errorCode: "NoError", status: "Preparing" }],
    ["Authorize", { idTag: "04A1B2C3" }],
    ["StartTransaction", { connectorId: 1, idTag: "04A1B2C3", meterStart: 100, timestamp: AT }],
    ["MeterValues", { connectorId: 1, meterValue: [{ timestamp: AT, sampledValue: [{ value: "400" }] }] }],
    ["StopTransaction", { meterStop: 900, timestamp: AT }],
    ["DataTransfer", { vendorId: "x" }],
    ["FirmwareStatusNotification", { status: "Idle" }],
    ["DiagnosticsStatusNotification", { status: "Idle" }],
    ["Heartbeat", {}],
  ];
  let number;
  for (const [action, payload] of steps) {
    const said = action === "StopTransaction" ? { ...payload, transactionId: number } : payload;
    const told = await pile.call(action, said);
    number = told.transactionId ?? number;
    say(action, told);
  }
}

async function life201(pile) {
  const event = (eventType, seqNo, value) => ({
    eventType, seqNo, timestamp: AT, triggerReason: "Authorized", transactionInfo: { transactionId: "tx-1" },
    evse: { id: 1, connectorId: 1 }, meterValue: [{ timestamp: AT, sampledValue: [{ value }] }],
  });
  const steps = [
    ["BootNotification", { reason: "PowerUp", chargingStation: { model: "2", vendorName: "ocpp-rpc" } }],
    ["StatusNotification", { timestamp: AT, connectorStatus: "Occupied", evseId: 1, connectorId: 1 }],
    ["Authorize", { idToken: { idToken: "04A1B2C3", type: "ISO14443" } }],
    ["TransactionEvent", event("Started", 0, 100)],
    ["TransactionEvent", event("Updated", 1, 400)],
    ["TransactionEvent", event("Ended", 2, 900)],
    ["SecurityEventNotification", { type: "StartupOfTheDevice", timestamp: AT }],
    ["NotifyReport", { requestId: 1, generatedAt: AT, seqNo: 0 }],
    ["Heartbeat", {}],
  ];
  for (const [action, payload] of steps) say(action, await pile.call(action, payload));
}

async function main() {
  const read = (path) => (path ? fs.readFileSync(path) : undefined);
  const [, endpoint, identity] = address.match(/^(.*)\/([^/]+)$/);
  const pile = new RPCClient({
    endpoint, identity, password, protocols: [version], strictMode: true, reconnect: false,
    wsOpts: { ca: read(ca), cert: read(certificate), key: read(key) },
  });
  pile.on("strictValidationFailure", ({ error }) => say("invalid", String(error)));
  pile.handle(({ method, params }) => {
    say("asked", [method, params]);
    return { status: "Accepted" };
  });
  await pile.connect();
  await (version === "ocpp1.6" ? life16(pile) : life201(pile));
  say("done", pile.protocol);
  for await (const _ of process.stdin);
  await pile.close();
}

main().catch((error) => {
  say("error", `${error.code ?? ""} ${error.message}`);
  process.exit(1);
});
