import { type TSchema, Type } from 'typebox';

export const moment = (description: string) => Type.String({ format: 'date-time', description });

export const orNull = <Schema extends TSchema>(schema: Schema, description: string) =>
  Type.Union([schema, Type.Null()], { description });
