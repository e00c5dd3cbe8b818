import { describe, expect, it } from "vitest";
import { refusedFrom, whyNotStarted } from "../src/refusal";

function answered(code: number, message: string, data?: object): Error {
  return Object.assign(new Error(message), { code, data });
}

describe("an error on the way to the daemon", () => {
  it.each([
    [answered(-32802, "The Specthread daemon went away; please try again.")],
    [answered(-32803, "The Specthread daemon does not run.")],
    [answered(-32096, "Client is not running")],
    [answered(-32097, "Pending response rejected since connection got disposed")],
    [answered(2, "Connection is disposed.")],
    [new Error("write EPIPE")],
  ])("means that nobody is there: %s", (error) => {
    expect(refusedFrom(error)).toMatchObject({ code: "offline", isUnreachable: true });
  });

  it("is the daemon's own sentence, without what to type into a terminal", () => {
    const data = { code: "still-planning", message: "The planner is working.", hint: "`specthread show x` says more." };
    expect(refusedFrom(answered(1001, "refused", data))).toMatchObject({ code: "still-planning", message: "The planner is working." });
  });

  it("is the daemon's too where it uses a code of the relay's", () => {
    expect(refusedFrom(answered(-32803, "x", { code: "git", message: "Git failed." }))).toMatchObject({ code: "git" });
  });

  it("says where the program is to come from", () => {
    const said = whyNotStarted(new Error("spawn specthread ENOENT"), "specthread");
    expect(said).toBe("“specthread” is not installed here. Install Specthread as its README says, or set “specthread.path”.");
  });
});
