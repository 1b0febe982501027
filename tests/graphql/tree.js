'use strict'
// A tree of the reference implementation in the form of policy/graphql/print.c.

const list = (items, open, close) => (items && items.length > 0 ? `${open}${items.map(print).join(' ')}${close}` : '')

const names = (items, before, delimiter) =>
  items && items.length > 0 ? before + items.map(print).join(delimiter) : ''

const string = (text) =>
  `"${text.replace(/["\\]/g, '\\$&').replace(/[\x00-\x1f\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`

const described = (node) => (node.description ? `${print(node.description)} ` : '')
const defaulted = (node) => (node.defaultValue ? `=${print(node.defaultValue)}` : '')
const directives = (node) => node.directives.map(print).join('')
const named = (node) => (node.name ? ` ${print(node.name)}` : '')

// A definition, and the extension of one.
const type = (keyword, rest) => (node) =>
  `${described(node)}${/Extension$/.test(node.kind) ? 'extend ' : ''}${keyword}${named(node)}${rest(node)}`

const object = (node) =>
  `${names(node.interfaces, ' implements ', '&')}${directives(node)}${list(node.fields, '{', '}')}`
const scalar = type('scalar', directives)
const objectType = type('type', object)
const interfaceType = type('interface', object)
const union = type('union', (node) => directives(node) + names(node.types, '=', '|'))
const enumType = type('enum', (node) => directives(node) + list(node.values, '{', '}'))
const input = type('input', (node) => directives(node) + list(node.fields, '{', '}'))
const schema = type('schema', (node) => directives(node) + list(node.operationTypes, '{', '}'))

const printers = {
  Argument: (node) => `${print(node.name)}:${print(node.value)}`,
  BooleanValue: (node) => String(node.value),
  Directive: (node) => `@${print(node.name)}${list(node.arguments, '(', ')')}`,
  DirectiveDefinition: (node) =>
    `${described(node)}directive @${print(node.name)}${list(node.arguments, '(', ')')}` +
    `${node.repeatable ? ' repeatable' : ''}${names(node.locations, ' on ', '|')}`,
  Document: (node) => node.definitions.map((each) => `${print(each)}\n`).join(''),
  EnumTypeDefinition: enumType,
  EnumTypeExtension: enumType,
  EnumValue: (node) => node.value,
  EnumValueDefinition: (node) => `${described(node)}${print(node.name)}${directives(node)}`,
  Field: (node) =>
    `${node.alias ? `${print(node.alias)}:` : ''}${print(node.name)}${list(node.arguments, '(', ')')}` +
    `${directives(node)}${node.selectionSet ? print(node.selectionSet) : ''}`,
  FieldDefinition: (node) =>
    `${described(node)}${print(node.name)}${list(node.arguments, '(', ')')}:${print(node.type)}${directives(node)}`,
  FloatValue: (node) => node.value,
  FragmentDefinition: (node) =>
    `fragment${named(node)} on ${print(node.typeCondition)}${directives(node)}${print(node.selectionSet)}`,
  FragmentSpread: (node) => `...${print(node.name)}${directives(node)}`,
  InlineFragment: (node) =>
    `...${node.typeCondition ? `on ${print(node.typeCondition)}` : ''}${directives(node)}${print(node.selectionSet)}`,
  InputObjectTypeDefinition: input,
  InputObjectTypeExtension: input,
  InputValueDefinition: (node) =>
    `${described(node)}${print(node.name)}:${print(node.type)}${defaulted(node)}${directives(node)}`,
  IntValue: (node) => node.value,
  InterfaceTypeDefinition: interfaceType,
  InterfaceTypeExtension: interfaceType,
  ListType: (node) => `[${print(node.type)}]`,
  ListValue: (node) => `[${node.values.map(print).join(' ')}]`,
  Name: (node) => node.value,
  NamedType: (node) => print(node.name),
  NonNullType: (node) => `${print(node.type)}!`,
  NullValue: () => 'null',
  ObjectField: (node) => `${print(node.name)}:${print(node.value)}`,
  ObjectTypeDefinition: objectType,
  ObjectTypeExtension: objectType,
  ObjectValue: (node) => `{${node.fields.map(print).join(' ')}}`,
  OperationDefinition: (node) =>
    `${node.operation}${named(node)}${list(node.variableDefinitions, '(', ')')}${directives(node)}` +
    print(node.selectionSet),
  OperationTypeDefinition: (node) => `${node.operation}:${print(node.type)}`,
  ScalarTypeDefinition: scalar,
  ScalarTypeExtension: scalar,
  SchemaDefinition: schema,
  SchemaExtension: schema,
  SelectionSet: (node) => list(node.selections, '{', '}'),
  StringValue: (node) => (node.block ? `block${string(node.value)}` : string(node.value)),
  UnionTypeDefinition: union,
  UnionTypeExtension: union,
  Variable: (node) => `$${print(node.name)}`,
  VariableDefinition: (node) => `${print(node.variable)}:${print(node.type)}${defaulted(node)}${directives(node)}`,
}

const print = (node) => printers[node.kind](node)

module.exports = { print }
