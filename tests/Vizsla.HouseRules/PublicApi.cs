using Mono.Cecil;

namespace Vizsla.HouseRules;

/// <summary>The public types of an assembly and their members, a line each, as a C# programmer reads them.</summary>
internal static class PublicApi
{
    private static readonly Dictionary<string, string> s_keywords = new()
    {
        ["System.Boolean"] = "bool", ["System.Byte"] = "byte", ["System.Char"] = "char", ["System.Double"] = "double", ["System.Single"] = "float", ["System.Int16"] = "short",
        ["System.Int32"] = "int", ["System.Int64"] = "long", ["System.Object"] = "object", ["System.String"] = "string", ["System.UInt32"] = "uint", ["System.UInt64"] = "ulong", ["System.Void"] = "void",
    };

    // What the compiler makes of a record, and what every type has.
    private static readonly HashSet<string> s_given =
        ["Equals", "GetHashCode", "ToString", "PrintMembers", "op_Equality", "op_Inequality", "<Clone>$", "Deconstruct", "get_EqualityContract", "Finalize"];

    /// <summary>The lines, sorted.</summary>
    public static IEnumerable<string> Of(ModuleDefinition module) =>
        Types(module).SelectMany(t => Members(t).Prepend($"{Kind(t)} {Name(t)}")).Order(StringComparer.Ordinal);

    /// <summary>What a user can call or read: methods, constructors, fields and the accessors of properties; of an override, a copy constructor and what the compiler makes of a record nothing.</summary>
    public static IEnumerable<IMemberDefinition> Callable(ModuleDefinition module) => Types(module).Where(t => t.BaseType?.FullName != "System.MulticastDelegate").SelectMany(t => t.IsEnum
        ? t.Fields.Where(f => f.IsStatic).Cast<IMemberDefinition>()
        : Declared(t).Cast<IMemberDefinition>().Concat(t.Fields.Where(IsVisible)));

    private static IEnumerable<TypeDefinition> Types(ModuleDefinition module) => module.GetTypes().Where(IsVisible);

    private static bool IsVisible(TypeDefinition type) =>
        !type.Name.StartsWith('<') && (type.IsPublic || ((type.IsNestedPublic || type.IsNestedFamily || type.IsNestedFamilyOrAssembly) && IsVisible(type.DeclaringType)));

    private static bool IsVisible(FieldDefinition field) => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly;

    private static IEnumerable<MethodDefinition> Methods(TypeDefinition type) =>
        type.Methods.Where(m => (m.IsPublic || m.IsFamily || m.IsFamilyOrAssembly) && !s_given.Contains(m.Name) && !m.Name.Contains('.', StringComparison.Ordinal) | m.IsConstructor);

    private static IEnumerable<MethodDefinition> Declared(TypeDefinition type) =>
        Methods(type).Where(m => !IsOverride(m) && !IsCopyConstructor(m) && m.Name != ".cctor" && !(m.IsConstructor && type.IsAbstract));

    private static bool IsOverride(MethodDefinition method) => method.IsVirtual && !method.IsNewSlot;

    private static IEnumerable<string> Members(TypeDefinition type)
    {
        if (type.IsEnum)
        {
            return type.Fields.Where(f => f.IsStatic).Select(f => $"{Name(type)}.{f.Name}");
        }

        if (type.BaseType?.FullName == "System.MulticastDelegate")
        {
            return [];
        }

        var methods = Declared(type).Select(m => m.IsGetter || m.IsSetter
            ? $"{Name(type)}.{Plain(m.Name)}{(m.IsSetter ? IsInit(m) ? " init" : " set" : "")}{(m.IsGetter ? $" : {Name(m.ReturnType)}" : "")}"
            : $"{Name(type)}.{(m.IsConstructor ? "new" : m.Name)}({string.Join(", ", m.Parameters.Select(Parameter))}){(m.IsConstructor ? "" : $" : {Name(m.ReturnType)}")}");
        return methods.Concat(type.Fields.Where(IsVisible).Select(f => $"{Name(type)}.{f.Name} : {Name(f.FieldType)}"));
    }

    private static bool IsInit(MethodDefinition setter) => setter.ReturnType is RequiredModifierType;

    private static bool IsCopyConstructor(MethodDefinition method) =>
        method.IsConstructor && method.IsFamily && method.Parameters.Count == 1 && method.Parameters[0].ParameterType.FullName == method.DeclaringType.FullName;

    private static string Parameter(ParameterDefinition parameter) => $"{Name(parameter.ParameterType)} {parameter.Name}{(parameter.HasDefault ? "?" : "")}";

    private static string Plain(string method) =>
        method.StartsWith("get_", StringComparison.Ordinal) || method.StartsWith("set_", StringComparison.Ordinal) || method.StartsWith("add_", StringComparison.Ordinal) ? method[4..]
        : method.StartsWith("remove_", StringComparison.Ordinal) ? method["remove_".Length..] : method;

    private static string Kind(TypeDefinition type) =>
        type.IsEnum ? "enum" : type.IsInterface ? "interface" : type.IsValueType ? "struct" : type.BaseType?.FullName == "System.MulticastDelegate" ? "delegate"
        : type.Methods.Any(m => m.Name == "<Clone>$") ? "record" : type.IsAbstract && type.IsSealed ? "static class" : type.IsAbstract ? "abstract class" : "class";

    private static string Name(TypeReference type) => type switch
    {
        GenericParameter parameter => parameter.Name,
        RequiredModifierType modified => Name(modified.ElementType),
        ByReferenceType reference => "ref " + Name(reference.ElementType),
        ArrayType array => Name(array.ElementType) + "[]",
        PointerType pointer => Name(pointer.ElementType) + "*",
        GenericInstanceType { ElementType.FullName: "System.Nullable`1" } nullable => Name(nullable.GenericArguments[0]) + "?",
        GenericInstanceType generic => $"{Bare(generic.ElementType)}<{string.Join(", ", generic.GenericArguments.Select(Name))}>",
        _ => s_keywords.GetValueOrDefault(type.FullName, type.HasGenericParameters ? $"{Bare(type)}<{string.Join(", ", type.GenericParameters.Select(p => p.Name))}>" : Bare(type)),
    };

    // The project's own types by their full name; others by their last.
    private static string Bare(TypeReference type)
    {
        var name = type.Name.Split('`')[0];
        return type.DeclaringType is { } outer ? $"{Bare(outer)}.{name}" : type.Namespace.StartsWith(nameof(Vizsla), StringComparison.Ordinal) ? $"{type.Namespace}.{name}" : name;
    }
}
