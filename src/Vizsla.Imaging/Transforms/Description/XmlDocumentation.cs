using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Vizsla.Transforms;

/// <summary>The sentences of the library's documentation file, which lies beside it; empty where it does not.</summary>
internal static partial class XmlDocumentation
{
    private static readonly Lazy<Dictionary<string, XElement>> Members = new(Load);

    /// <summary>The summary of a type.</summary>
    public static string OfType(Type type) => Text(Find($"T:{type.FullName}")?.Element("summary"));

    /// <summary>The sentence about a record's parameter: that of its constructor, else that of its property.</summary>
    public static string OfParameter(Type type, string name)
    {
        var parameter = Find($"T:{type.FullName}")?.Elements("param").FirstOrDefault(element => element.Attribute("name")?.Value == name);
        return Text(parameter ?? Find($"P:{type.FullName}.{name}")?.Element("summary"));
    }

    private static XElement? Find(string member) => Members.Value.GetValueOrDefault(member);

    private static Dictionary<string, XElement> Load()
    {
        var path = Path.Combine(AppContext.BaseDirectory, typeof(XmlDocumentation).Assembly.GetName().Name + ".xml");
        return File.Exists(path)
            ? XDocument.Load(path).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value)
            : [];
    }

    private static string Text(XElement? element)
    {
        if (element is null)
        {
            return "";
        }

        var parts = element.Nodes().Select(node => node switch
        {
            XText text => text.Value,
            XElement { Name.LocalName: "see" or "paramref" } reference => (reference.Attribute("cref") ?? reference.Attribute("langword") ?? reference.Attribute("name"))!.Value.Split('.', ':')[^1],
            XElement inner => inner.Value,
            _ => "",
        });
        return Spaces().Replace(string.Concat(parts), " ").Trim();
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
