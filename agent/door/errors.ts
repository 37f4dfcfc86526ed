/** Why a door does not do what a page asks for. The message is for people who read the page. */
export class DoorError extends Error {
  override readonly name = "DoorError";
  /** Of HTTP. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
