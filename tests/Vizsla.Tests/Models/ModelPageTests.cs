using System.Globalization;
using System.Text;
using Vizsla.Models;
using Vizsla.Models.Timm;
using Vizsla.Testing;
using Vizsla.Transforms;

namespace Vizsla.Tests.Models;

/// <summary>The page of models and the README's row about them are what the code says.</summary>
public sealed class ModelPageTests
{
    private static string Page => Path.Combine(Golden.Checkout, "docs", "models.md");

    [Fact]
    public void The_page_lists_what_the_code_knows()
    {
        if (Environment.GetEnvironmentVariable("VIZSLA_UPDATE_DOCS") == "1")
        {
            File.WriteAllText(Page, Written());
        }

        Assert.True(Written() == File.ReadAllText(Page).ReplaceLineEndings("\n"), "docs/models.md is not what the code says; write it anew with VIZSLA_UPDATE_DOCS=1 and this test.");
    }

    [Fact]
    public void The_README_counts_them()
    {
        var readme = File.ReadAllText(Path.Combine(Golden.Checkout, "README.md"));

        Assert.Contains(
            string.Create(CultureInfo.InvariantCulture, $"{Architectures.All.Count} families of Hugging Face and {TimmVariants.All.Count} networks of timm ([docs/models.md](docs/models.md))"),
            readme, StringComparison.Ordinal);
    }

    private static string Written()
    {
        var page = new StringBuilder();
        page.Append(
            """
            # Models

            This page is written from the code by `ModelPageTests`; `vizsla models` lists the same with sizes, `vizsla models search` finds one.

            ## Families of Hugging Face

            A folder or Hub repository of one of these `model_type`s loads as it is, and what is saved loads in transformers. Held to transformers 5.23 by a small checkpoint of each family:
            names in the file, logits, hidden states, loss and every gradient within 1e-5 of the largest value, and the same bytes when it is saved again (`VitGoldenTests`);
            the ONNX export and adapters run over the same checkpoints. An encoder without a head is a start for fine-tuning.

            Where the files say nothing of preprocessing, the family's own processor prepares the pictures; a dash means that ViT's does, at the model's size.
            transformers has no classifier on DINOv3: the head here is DINOv2's, and transformers' `AutoModel` reads the backbone of what is saved.
            The processors of PP-LCNet, TextNet and Donut are not read: give such a folder a `preprocessor_config.json` of another family, such as `ViTImageProcessor`.
            `dinat` needs the NATTEN operators, which torch does not have; it is refused, as every other family is, with the nearest that is here.

            | `model_type` | Class in Python | Preprocessing where the files name none |
            |---|---|---|

            """);
        foreach (var architecture in Architectures.All.Values.OrderBy(a => a.ModelType, StringComparer.Ordinal))
        {
            page.Append(CultureInfo.InvariantCulture, $"| `{architecture.ModelType}` | {string.Join(", ", architecture.ClassNames.Select(n => $"`{n}`"))} | {ProcessorOf(architecture.ModelType)} |\n");
        }

        page.Append(
            """
            | `timm_wrapper` | `TimmWrapperForImageClassification` | timm's settings of the network |

            ## Networks of timm

            By name (`--model resnet50`, `resnet50.a1_in1k`, `timm/resnet50.a1_in1k`, `hf-hub:timm/resnet50.a1_in1k`) or from a folder. Held to timm 1.0.31: names, shapes and order of every tensor,
            default settings, logits within 1e-4 (`CnnGoldenTests`). Sizes are measured; ImageNet is the share of first classes that are right with the weights of the bare name, as timm publishes it.

            | Class in timm | Networks | Parameters | Best on ImageNet |
            |---|---|---|---|

            """);
        var classes = TimmVariants.All.Values.GroupBy(v => v.ClassName).ToList();
        foreach (var group in classes)
        {
            var sizes = group.Select(v => v.Size!.Value.Parameters).ToList();
            var best = group.Where(v => v.Accuracy is not null).MaxBy(v => v.Accuracy);
            page.Append(CultureInfo.InvariantCulture, $"| `{group.Key}` | {group.Count()} | {Millions(sizes.Min())} to {Millions(sizes.Max())} | {(best is null ? "-" : $"{best.Accuracy:0.0} % (`{best.Name}`)")} |\n");
        }

        foreach (var group in classes)
        {
            page.Append(CultureInfo.InvariantCulture, $"\n### {group.Key}\n\n{string.Join(", ", group.Select(v => $"`{v.Name}`"))}\n");
        }

        return page.ToString().ReplaceLineEndings("\n");
    }

    private static string ProcessorOf(string modelType) => ProcessorFamily.ByModelType.TryGetValue(modelType, out var processor) ? $"`{processor}`" : "-";

    private static string Millions(long count) => string.Create(CultureInfo.InvariantCulture, $"{count / 1e6:0.0} M");
}
