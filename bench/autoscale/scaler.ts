/** What the manifests ask Kubernetes' HorizontalPodAutoscaler to do (deploy/kubernetes/components/keda). */
export interface ScalerSettings {
  readonly min: number;
  readonly max: number;
  /** Units of a node: the target's average value. */
  readonly unitsPerNode: number;
  /** Steps that the lowest wish of all has to stand before it is scaled up to, and the highest before scaled down to. */
  readonly upWindow: number;
  readonly downWindow: number;
  /** At most doubled in so many steps. */
  readonly upPeriod: number;
  /** At most one node fewer in so many steps. */
  readonly downPeriod: number;
}

/** Difference from the target, as a share, that is left alone: Kubernetes' default. */
const TOLERANCE = 0.1;

/** The autoscaler's rule, step by step. O(window) per step. */
export class Scaler {
  readonly #settings: ScalerSettings;
  readonly #wishes: number[] = [];
  readonly #replicas: number[] = [];

  constructor(settings: ScalerSettings) {
    this.#settings = settings;
  }

  /** @param wanted The metric: units worth having. @returns replicas from now on. */
  step(replicas: number, wanted: number): number {
    const { min, max, unitsPerNode, upWindow, downWindow, upPeriod, downPeriod } = this.#settings;
    const ratio = wanted / unitsPerNode / replicas;
    const wish = Math.abs(ratio - 1) <= TOLERANCE ? replicas : Math.ceil(wanted / unitsPerNode);
    this.#wishes.push(wish);
    this.#replicas.push(replicas);
    const up = Math.min(...this.#wishes.slice(-upWindow));
    const down = Math.max(...this.#wishes.slice(-downWindow));
    const stable = Math.min(Math.max(replicas, up), down);
    const most = 2 * Math.min(...this.#replicas.slice(-upPeriod));
    const least = Math.max(...this.#replicas.slice(-downPeriod)) - 1;
    return Math.max(min, Math.min(max, stable > replicas ? Math.min(stable, most) : Math.max(stable, least)));
  }
}
