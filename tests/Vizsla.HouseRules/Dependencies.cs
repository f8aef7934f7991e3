using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Vizsla.HouseRules;

/// <summary>Which types a compiled type mentions: signatures, attributes aside, and the instructions of its methods.</summary>
internal static class Dependencies
{
    public static ModuleDefinition Open(string assembly) =>
        ModuleDefinition.ReadModule(Path.Combine(AppContext.BaseDirectory, assembly + ".dll"));

    /// <summary>All pairs (type, mentioned type) of an assembly, compiler-made helpers counted to the type that holds them.</summary>
    public static IEnumerable<(TypeDefinition From, TypeReference To)> Of(ModuleDefinition module) =>
        from type in module.Types
        from part in WithNested(type)
        from mentioned in Mentioned(part)
        from leaf in Leaves(mentioned)
        select (type, leaf);

    /// <summary>The methods and fields that an assembly's instructions use, by full name as declared; generic types without their arguments.</summary>
    public static IEnumerable<string> Uses(ModuleDefinition module) =>
        from type in module.GetTypes()
        from method in type.Methods
        where method.HasBody
        from instruction in method.Body.Instructions
        let used = instruction.Operand as MemberReference
        where used is MethodReference or FieldReference
        let declared = Declared(used)
        where declared is not null && declared.FullName != method.FullName
        select declared.FullName;

    private static IMemberDefinition? Declared(MemberReference member)
    {
        try
        {
            return member.DeclaringType.GetElementType().Namespace.StartsWith(nameof(Vizsla), StringComparison.Ordinal) || member.DeclaringType.DeclaringType is not null
                ? member.Resolve() as IMemberDefinition : null;
        }
        catch (AssemblyResolutionException)
        {
            return null;
        }
    }

    /// <summary>The namespace of the outermost type.</summary>
    public static string NamespaceOf(TypeReference type) => type.DeclaringType is { } outer ? NamespaceOf(outer) : type.Namespace;

    public static IEnumerable<TypeDefinition> WithNested(TypeDefinition type) => type.NestedTypes.SelectMany(WithNested).Prepend(type);

    private static IEnumerable<TypeReference> Mentioned(TypeDefinition type)
    {
        if (type.BaseType is not null)
        {
            yield return type.BaseType;
        }

        foreach (var implemented in type.Interfaces)
        {
            yield return implemented.InterfaceType;
        }

        foreach (var field in type.Fields)
        {
            yield return field.FieldType;
        }

        foreach (var mentioned in type.Methods.SelectMany(Mentioned))
        {
            yield return mentioned;
        }
    }

    private static IEnumerable<TypeReference> Mentioned(MethodDefinition method)
    {
        yield return method.ReturnType;
        foreach (var parameter in method.Parameters)
        {
            yield return parameter.ParameterType;
        }

        if (!method.HasBody)
        {
            yield break;
        }

        foreach (var variable in method.Body.Variables)
        {
            yield return variable.VariableType;
        }

        foreach (Instruction instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference type:
                    yield return type;
                    break;
                case MethodReference called:
                    yield return called.DeclaringType;
                    yield return called.ReturnType;
                    break;
                case FieldReference field:
                    yield return field.DeclaringType;
                    break;
            }
        }
    }

    private static IEnumerable<TypeReference> Leaves(TypeReference type) => type switch
    {
        GenericParameter => [],
        FunctionPointerType pointer => pointer.Parameters.Select(p => p.ParameterType).Append(pointer.ReturnType).SelectMany(Leaves),
        GenericInstanceType generic => generic.GenericArguments.SelectMany(Leaves).Append(generic.ElementType),
        TypeSpecification wrapped => Leaves(wrapped.ElementType),
        _ => [type],
    };
}
