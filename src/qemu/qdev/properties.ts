/** Property values of one device, after defaults, globals and the command line. */
import { assert } from '../../base/assert.ts';
import { error_setg } from '../system/error.ts';
import { type PropertySpec, type PropertyValue, parseProperty } from './property.ts';

export class Properties {
  private readonly values = new Map<string, PropertyValue>();

  constructor(
    /** Type name, for messages. */
    private readonly type: string,
    readonly specs: readonly PropertySpec[],
  ) {
    for (const spec of specs) this.values.set(spec.name, spec.value);
  }

  /** object_property_parse: sets one property from the command line. */
  parse(name: string, text: string): void {
    const spec = this.specs.find((other) => other.name === name);
    if (!spec) error_setg(`Property '${this.type}.${name}' not found`);
    this.values.set(name, parseProperty(this.type, spec, text));
  }

  has(name: string): boolean {
    return this.values.has(name);
  }
  get(name: string): PropertyValue {
    assert(this.values.has(name), `property ${this.type}.${name} is not declared`);
    return this.values.get(name) ?? null;
  }
  set(name: string, value: PropertyValue): void {
    assert(this.values.has(name), `property ${this.type}.${name} is not declared`);
    this.values.set(name, value);
  }
  bool(name: string): boolean {
    return this.get(name) === true;
  }
  number(name: string): number {
    const value = this.get(name);
    return typeof value === 'number' ? value : 0;
  }
  /** Text of a string, enum or link property; null when it was not given. */
  text(name: string): string | null {
    const value = this.get(name);
    return typeof value === 'string' && value !== '' ? value : null;
  }
}
