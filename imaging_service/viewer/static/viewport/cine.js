// Playing slices one after the other.

export class Cine {
  /** @param {() => void} showNext */
  constructor(showNext) {
    this.showNext = showNext;
    this.speed = 12;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
  }

  get isPlaying() {
    return this.timer !== undefined;
  }

  /** @param {number} speed Slices a second. */
  setSpeed(speed) {
    this.speed = speed;
    if (this.isPlaying) this.#play();
  }

  /** Begin or end. */
  toggle() {
    if (this.isPlaying) this.stop();
    else this.#play();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  #play() {
    this.stop();
    this.timer = setInterval(this.showNext, 1000 / this.speed);
  }
}
