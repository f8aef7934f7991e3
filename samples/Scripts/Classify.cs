#!/usr/bin/env dotnet
#:package Vizsla@*-*
#:package Vizsla.Backend.Cpu@*-*
using Vizsla;

// dotnet run Classify.cs -- MODEL PHOTO...   names what each photo shows, without a project; MODEL is a run, a folder of transformers or timm, or a name in the Hub cache.
if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: dotnet run Classify.cs -- MODEL PHOTO...");
    return 2;
}

using var model = ImageClassifier.FromPretrained(args[0]);
foreach (var answer in model.Predict(args[1..], topK: 1))
{
    Console.WriteLine($"{answer.File}: {(answer.Error is null ? $"{answer.Predictions[0].Label} ({answer.Predictions[0].Score:0.0000})" : answer.Error)}");
}

return 0;
