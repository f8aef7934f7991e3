using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Vizsla.Hub.Cards;

/// <summary>YAML to JSON nodes: mappings in their order, plain scalars resolved as in YAML 1.1.</summary>
/// <remarks>Source: PyYAML <c>safe_load</c>. Dates become <see cref="DateTime"/> values; tags are ignored; what aliases make of a document is bounded.</remarks>
internal static class YamlReader
{
    private const int MaxNodes = 100_000;
    private const int MaxDepth = 64;

    /// <summary>Reads one document.</summary>
    /// <param name="text">The YAML.</param>
    /// <returns>The document; null when it is empty or <c>null</c>.</returns>
    /// <exception cref="YamlException">The text is not valid YAML, or nested too deeply or too large.</exception>
    public static JsonNode? Read(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return null;
            }

            parser.Consume<DocumentStart>();
            return new Reading(parser).Node(0);
        }
        catch (YamlDotNet.Core.YamlException e)
        {
            throw new YamlException($"The metadata is not valid YAML: line {e.Start.Line}, column {e.Start.Column}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    private sealed class Reading(IParser parser)
    {
        private readonly Dictionary<string, JsonNode?> _anchors = [];
        private int _nodes;

        public JsonNode? Node(int depth)
        {
            Count(1);
            if (depth > MaxDepth)
            {
                throw new YamlException($"The metadata is nested more than {MaxDepth} deep.");
            }

            var anchor = parser.Current is NodeEvent { Anchor.IsEmpty: false } start ? start.Anchor.Value : null;
            var node = parser.Current switch
            {
                Scalar => Word(parser.Consume<Scalar>()),
                SequenceStart => Sequence(depth),
                MappingStart => Mapping(depth),
                AnchorAlias => Alias(parser.Consume<AnchorAlias>()),
                var other => throw new YamlException($"The metadata contains an unsupported node: {other?.GetType().Name}."),
            };
            if (anchor is not null)
            {
                _anchors[anchor] = node;
            }

            return node;
        }

        private JsonArray Sequence(int depth)
        {
            parser.Consume<SequenceStart>();
            var list = new JsonArray();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                list.Add(Node(depth + 1));
            }

            return list;
        }

        private JsonObject Mapping(int depth)
        {
            parser.Consume<MappingStart>();
            var map = new JsonObject();
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                if (parser.Current is not Scalar)
                {
                    throw new YamlException($"The metadata has a key that is not a scalar (line {parser.Current?.Start.Line}).");
                }

                var key = parser.Consume<Scalar>().Value;
                map[key] = Node(depth + 1);
            }

            return map;
        }

        private JsonNode? Alias(AnchorAlias alias)
        {
            if (!_anchors.TryGetValue(alias.Value.Value, out var node))
            {
                throw new YamlException($"The metadata refers to '*{alias.Value.Value}', which it does not define.");
            }

            Count(Size(node));
            return node?.DeepClone();
        }

        private void Count(int more)
        {
            if ((_nodes += more) > MaxNodes)
            {
                throw new YamlException($"The metadata holds more than {MaxNodes} values.");
            }
        }

        private static int Size(JsonNode? node) => node switch
        {
            JsonObject map => 1 + map.Sum(p => Size(p.Value)),
            JsonArray list => 1 + list.Sum(Size),
            _ => 1,
        };

        private static JsonNode? Word(Scalar scalar) => scalar.Style is ScalarStyle.Plain && (scalar.Tag.IsEmpty || scalar.Tag.IsNonSpecific)
            ? YamlScalars.Read(scalar.Value)
            : JsonValue.Create(scalar.Value);
    }
}

/// <summary>Metadata that is not valid YAML, or YAML that a card cannot hold.</summary>
public sealed class YamlException(string message, Exception? inner = null) : FormatException(message, inner);
